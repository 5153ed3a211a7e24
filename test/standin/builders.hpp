#pragma once

#include "test/standin/forms.hpp"
#include "test/standin/messages.hpp"

#include <string>
#include <vector>

/// Short ways to say what a test is given.
namespace mysos::standin::given {

inline v1::Resource scalar(const std::string& name, double value)
{
    v1::Resource resource;
    resource.set_name(name);
    resource.set_type(v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(value);
    return resource;
}

inline v1::Resource ports(std::uint64_t begin, std::uint64_t end)
{
    v1::Resource resource;
    resource.set_name("ports");
    resource.set_type(v1::Value::RANGES);
    auto& range = *resource.mutable_ranges()->add_range();
    range.set_begin(begin);
    range.set_end(end);
    return resource;
}

inline v1::Resource reserved(
    v1::Resource resource, const std::string& role, const std::string& principal = "")
{
    auto& reservation = *resource.add_reservations();
    reservation.set_type(v1::Resource::ReservationInfo::DYNAMIC);
    reservation.set_role(role);
    if (!principal.empty()) reservation.set_principal(principal);
    return resource;
}

inline v1::Resource labelled(
    v1::Resource resource, const std::string& key, const std::string& value)
{
    auto& last = *resource.mutable_reservations()->rbegin();
    auto& label = *last.mutable_labels()->add_labels();
    label.set_key(key);
    label.set_value(value);
    return resource;
}

inline v1::Resource volume(
    v1::Resource resource, const std::string& id, const std::string& path = "data")
{
    resource.mutable_disk()->mutable_persistence()->set_id(id);
    resource.mutable_disk()->mutable_volume()->set_container_path(path);
    resource.mutable_disk()->mutable_volume()->set_mode(v1::Volume::RW);
    return resource;
}

inline v1::Resource allocated(v1::Resource resource, const std::string& role)
{
    resource.mutable_allocation_info()->set_role(role);
    return resource;
}

inline Resources pool(const std::vector<v1::Resource>& items)
{
    Resources all;
    for (const auto& item : items) all.add(item);
    return all;
}

inline Resources::List list(const std::vector<v1::Resource>& items)
{
    Resources::List all;
    for (const auto& item : items) *all.Add() = item;
    return all;
}

inline v1::FrameworkInfo framework(
    const std::string& role = "web", const std::string& principal = "p")
{
    using Capability = v1::FrameworkInfo::Capability;
    v1::FrameworkInfo info;
    info.set_user("");
    info.set_name("test");
    info.add_roles(role);
    info.set_checkpoint(true);
    info.set_failover_timeout(60);
    if (!principal.empty()) info.set_principal(principal);
    for (const auto type :
         {Capability::MULTI_ROLE, Capability::RESERVATION_REFINEMENT, Capability::PARTITION_AWARE})
        info.add_capabilities()->set_type(type);
    return info;
}

}  // namespace mysos::standin::given
