#include "test/standin/task_checks.hpp"

#include <algorithm>

namespace mysos::standin {

namespace {

using Reservation = v1::Resource::ReservationInfo;

const Reservation& last_reservation(const v1::Resource& resource)
{
    return resource.reservations(resource.reservations_size() - 1);
}

Fault check_principal(
    const std::optional<std::string>& wanted, bool has, const std::string& given, const char* what)
{
    if (!wanted) return {};
    if (!has)
        return "A " + std::string{what} + " was attempted without a principal set; principal '" +
               *wanted + "' is expected";
    if (given != *wanted)
        return "A " + std::string{what} + " was attempted by principal '" + *wanted +
               "', but the resource has principal '" + given + "' set";
    return {};
}

Fault check_common(const Resources::List& resources)
{
    if (resources.empty()) return std::string{"No resources specified"};
    if (auto fault = check_structure(resources)) return fault;
    if (auto fault = check_disks(resources)) return fault;
    const auto& provider = resources.Get(0).provider_id().value();
    if (std::ranges::any_of(
            resources, [&](const auto& r) { return r.provider_id().value() != provider; }))
        return std::string{"Some resources have a resource provider and some do not"};
    return {};
}

Fault check_volumes(const Resources::List& volumes)
{
    for (const auto& volume : volumes) {
        if (!volume.has_disk()) return "Resource " + to_text(volume) + " does not have DiskInfo";
        if (!is_volume(volume)) return "'persistence' is not set in DiskInfo of " + to_text(volume);
        if (!volume.disk().has_volume())
            return std::string{"Expecting 'volume' to be set for persistent volume"};
        if (volume.disk().volume().mode() == v1::Volume::RO)
            return std::string{"Read-only persistent volume not supported"};
    }
    return {};
}

/// Without what CREATE adds: persistence and volume, and the DiskInfo itself if it has no source.
v1::Resource stripped(v1::Resource volume)
{
    volume.clear_shared();
    if (!volume.disk().has_source()) {
        volume.clear_disk();
        return volume;
    }
    volume.mutable_disk()->clear_persistence();
    volume.mutable_disk()->clear_volume();
    return volume;
}

v1::Resource unreserved(v1::Resource resource)
{
    resource.mutable_reservations()->RemoveLast();
    return resource;
}

}  // namespace

Fault check_disks(const Resources::List& resources)
{
    for (const auto& resource : resources) {
        if (!resource.has_disk()) continue;
        const auto& disk = resource.disk();
        if (disk.has_persistence()) {
            if (resource.has_revocable())
                return std::string{"Persistent volumes cannot be created from revocable resources"};
            if (resource.reservations_size() == 0)
                return std::string{
                    "Persistent volumes cannot be created from unreserved resources"};
            if (!disk.has_volume())
                return std::string{"Expecting 'volume' to be set for persistent volume"};
            if (disk.volume().has_host_path())
                return std::string{"Expecting 'host_path' to be unset for persistent volume"};
            if (auto fault = check_id(disk.persistence().id()))
                return "Invalid persistence ID for persistent volume: " + *fault;
        } else if (disk.has_volume()) {
            return std::string{"Non-persistent volume not supported"};
        } else if (!disk.has_source()) {
            return std::string{"DiskInfo is set but empty"};
        }
    }
    return {};
}

Fault check_reserve(const Resources::List& resources, const OperationContext& context)
{
    if (auto fault = check_common(resources)) return fault;
    const auto roles = roles_of(*context.framework);
    for (const auto& resource : resources) {
        if (!is_dynamically_reserved(resource))
            return "Resource " + to_text(resource) + " is not dynamically reserved";
        const std::string& role = last_reservation(resource).role();
        if (role != resource.allocation_info().role())
            return "A reserve operation was attempted for a resource allocated to role '" +
                   resource.allocation_info().role() + "' with the reservation role '" + role + "'";
        if (!roles.contains(role))
            return "A reserve operation was attempted for role '" + role +
                   "' that the framework is not subscribed to";
        const auto& reservation = last_reservation(resource);
        if (auto fault = check_principal(
                context.principal,
                reservation.has_principal(),
                reservation.principal(),
                "reserve operation"))
            return fault;
    }
    if (Resources{resources}.allocation_roles().size() > 1)
        return std::string{"The resources are allocated to multiple roles"};
    return {};
}

Fault check_unreserve(const Resources::List& resources)
{
    if (auto fault = check_common(resources)) return fault;
    for (const auto& resource : resources) {
        if (!is_dynamically_reserved(resource))
            return "Resource " + to_text(resource) + " is not dynamically reserved";
        if (is_volume(resource))
            return "A dynamically reserved persistent volume " + to_text(resource) +
                   " cannot be unreserved directly. Please destroy the persistent volume first "
                   "then unreserve the resource";
    }
    return {};
}

Fault check_create(const Resources::List& volumes, const OperationContext& context)
{
    if (auto fault = check_common(volumes)) return fault;
    if (auto fault = check_volumes(volumes)) return fault;
    std::set<std::pair<std::string, std::string>> taken;
    for (const auto& item : context.agent_total.items())
        if (is_volume(item)) taken.emplace(reservation_role(item), item.disk().persistence().id());
    for (const auto& volume : volumes) {
        const auto& persistence = volume.disk().persistence();
        if (!taken.emplace(reservation_role(volume), persistence.id()).second)
            return "Persistence ID '" + persistence.id() + "' already exists";
        if (volume.has_shared() &&
            !has_capability(*context.framework, v1::FrameworkInfo::Capability::SHARED_RESOURCES))
            return std::string{"The framework is not capable of shared resources"};
        if (auto fault = check_principal(
                context.principal,
                persistence.has_principal(),
                persistence.principal(),
                "create volume operation"))
            return fault;
    }
    if (Resources{volumes}.allocation_roles().size() > 1)
        return std::string{"The resources are allocated to multiple roles"};
    return {};
}

Fault check_destroy(const Resources::List& volumes, const OperationContext& context)
{
    if (auto fault = check_common(volumes)) return fault;
    if (auto fault = check_volumes(volumes)) return fault;
    for (auto volume : volumes) {
        volume.clear_allocation_info();
        if (!context.agent_total.contains(volume))
            return std::string{"Persistent volumes not found"};
    }
    return {};
}

Conversion conversion_of(const v1::Offer::Operation& operation)
{
    using Operation = v1::Offer::Operation;
    Conversion conversion;
    switch (operation.type()) {
        case Operation::RESERVE:
            for (const auto& resource : operation.reserve().resources()) {
                conversion.consumed.add(unreserved(resource));
                conversion.converted.add(resource);
            }
            break;
        case Operation::UNRESERVE:
            for (const auto& resource : operation.unreserve().resources()) {
                conversion.consumed.add(resource);
                conversion.converted.add(unreserved(resource));
            }
            break;
        case Operation::CREATE:
            for (const auto& volume : operation.create().volumes()) {
                conversion.consumed.add(stripped(volume));
                conversion.converted.add(volume);
            }
            break;
        case Operation::DESTROY:
            for (const auto& volume : operation.destroy().volumes()) {
                conversion.consumed.add(volume);
                conversion.converted.add(stripped(volume));
            }
            break;
        default: break;
    }
    return conversion;
}

}  // namespace mysos::standin
