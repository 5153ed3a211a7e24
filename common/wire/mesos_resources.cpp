#include "common/wire/mesos.hpp"
#include "mesos/v1/mesos.pb.h"

#include <utility>

namespace mysos::wire {
namespace {

namespace pb = ::mesos::v1;

mesos::Labels to_labels(const pb::Labels& labels)
{
    mesos::Labels result;
    for (const pb::Label& label : labels.labels()) {
        mesos::Label one{label.key(), std::nullopt};
        if (label.has_value()) one.value = label.value();
        result.push_back(std::move(one));
    }
    return result;
}

mesos::Reservation to_reservation(const pb::Resource::ReservationInfo& info)
{
    mesos::Reservation result;
    result.kind = info.type() == pb::Resource::ReservationInfo::STATIC
                      ? mesos::Reservation::Kind::fixed
                      : mesos::Reservation::Kind::dynamic;
    result.role = info.role();
    if (info.has_principal()) result.principal = info.principal();
    if (info.has_labels()) result.labels = to_labels(info.labels());
    return result;
}

/// The role of the older form; `*`, its default, means unreserved.
std::string older_role(const pb::Resource& resource)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return resource.role();
#pragma GCC diagnostic pop
}

/// The older form, which says the same of at most one reservation.
std::vector<mesos::Reservation> to_reservations(const pb::Resource& resource)
{
    std::vector<mesos::Reservation> result;
    for (const pb::Resource::ReservationInfo& info : resource.reservations()) {
        result.push_back(to_reservation(info));
    }
    const std::string role = older_role(resource);
    if (!result.empty() || role == "*") return result;

    mesos::Reservation one;
    if (resource.has_reservation()) one = to_reservation(resource.reservation());
    one.kind = resource.has_reservation() ? mesos::Reservation::Kind::dynamic
                                          : mesos::Reservation::Kind::fixed;
    one.role = role;
    result.push_back(std::move(one));
    return result;
}

void write_value(const mesos::Resource& resource, pb::Resource& to)
{
    if (const auto* scalar = std::get_if<mesos::Scalar>(&resource.value)) {
        to.set_type(pb::Value::SCALAR);
        to.mutable_scalar()->set_value(static_cast<double>(scalar->thousandths) / 1000);
    } else if (const auto* ranges = std::get_if<mesos::Ranges>(&resource.value)) {
        to.set_type(pb::Value::RANGES);
        for (const mesos::Range& range : *ranges) {
            pb::Value::Range* one = to.mutable_ranges()->add_range();
            one->set_begin(range.begin);
            one->set_end(range.end);
        }
    } else {
        to.set_type(pb::Value::SET);
        for (const std::string& item : std::get<mesos::Set>(resource.value)) {
            to.mutable_set()->add_item(item);
        }
    }
}

void write_reservation(const mesos::Reservation& reservation, pb::Resource::ReservationInfo& to)
{
    to.set_type(
        reservation.kind == mesos::Reservation::Kind::fixed
            ? pb::Resource::ReservationInfo::STATIC
            : pb::Resource::ReservationInfo::DYNAMIC);
    to.set_role(reservation.role);
    if (reservation.principal) to.set_principal(*reservation.principal);
    if (!reservation.labels) return;
    pb::Labels* labels = to.mutable_labels();
    for (const mesos::Label& label : *reservation.labels) {
        pb::Label* one = labels->add_labels();
        one->set_key(label.key);
        if (label.value) one->set_value(*label.value);
    }
}

}  // namespace

mesos::Resource to_resource(const pb::Resource& resource)
{
    mesos::Resource result;
    result.name = resource.name();
    if (resource.type() == pb::Value::RANGES) {
        mesos::Ranges ranges;
        for (const pb::Value::Range& range : resource.ranges().range()) {
            ranges.push_back({range.begin(), range.end()});
        }
        result.value = mesos::normalised(std::move(ranges));
    } else if (resource.type() == pb::Value::SET) {
        result.value = mesos::Set{resource.set().item().begin(), resource.set().item().end()};
    } else {
        result.value = mesos::Scalar{mesos::to_thousandths(resource.scalar().value())};
    }
    if (resource.has_allocation_info()) result.allocation_role = resource.allocation_info().role();
    result.reservations = to_reservations(resource);

    const pb::Resource::DiskInfo& disk = resource.disk();
    if (disk.has_persistence()) {
        result.persistence = mesos::Persistence{{disk.persistence().id()}, std::nullopt};
        if (disk.persistence().has_principal()) {
            result.persistence->principal = disk.persistence().principal();
        }
    }
    if (disk.has_volume()) {
        result.volume =
            mesos::Volume{disk.volume().container_path(), disk.volume().mode() == pb::Volume::RO};
    }
    result.foreign = disk.has_source() || resource.has_revocable() || resource.has_shared() ||
                     resource.has_provider_id();
    return result;
}

void write_resource(const mesos::Resource& resource, pb::Resource& to)
{
    to.set_name(resource.name);
    write_value(resource, to);
    if (resource.allocation_role) to.mutable_allocation_info()->set_role(*resource.allocation_role);
    for (const mesos::Reservation& reservation : resource.reservations) {
        write_reservation(reservation, *to.add_reservations());
    }
    if (resource.persistence) {
        pb::Resource::DiskInfo::Persistence* persistence = to.mutable_disk()->mutable_persistence();
        persistence->set_id(resource.persistence->id.text);
        if (resource.persistence->principal) {
            persistence->set_principal(*resource.persistence->principal);
        }
    }
    if (resource.volume) {
        pb::Volume* volume = to.mutable_disk()->mutable_volume();
        volume->set_container_path(resource.volume->container_path);
        volume->set_mode(resource.volume->read_only ? pb::Volume::RO : pb::Volume::RW);
    }
}

}  // namespace mysos::wire
