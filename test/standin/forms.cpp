#include "test/standin/forms.hpp"

#include <algorithm>
#include <cmath>

namespace mysos::standin {

namespace {

using Reservation = v1::Resource::ReservationInfo;

Fault check_scalar(const v1::Resource& r)
{
    if (!r.has_scalar() || r.has_ranges() || r.has_set())
        return "Resource '" + r.name() + "' of type SCALAR must have only 'scalar' set";
    const double value = r.scalar().value();
    if (!std::isfinite(value)) return "Invalid scalar resource '" + r.name() + "': not finite";
    if (value < 0) return "Invalid scalar resource '" + r.name() + "': value < 0";
    if (value != 0 && to_milli(value) == 0)
        return "Invalid scalar resource '" + r.name() + "': rounds to zero";
    return {};
}

Fault check_ranges(const v1::Resource& r)
{
    if (r.has_scalar() || !r.has_ranges() || r.has_set())
        return "Resource '" + r.name() + "' of type RANGES must have only 'ranges' set";
    const auto& ranges = r.ranges().range();
    for (int i = 0; i < ranges.size(); ++i) {
        if (ranges[i].begin() > ranges[i].end())
            return "Invalid ranges resource '" + r.name() + "': begin > end";
        // Only this order of overlap is seen; the reverse one slips through and is merged.
        for (int j = i + 1; j < ranges.size(); ++j)
            if (ranges[j].begin() >= ranges[i].begin() && ranges[j].begin() <= ranges[i].end())
                return "Invalid ranges resource '" + r.name() + "': overlapping ranges";
    }
    return {};
}

Fault check_set(const v1::Resource& r)
{
    if (r.has_scalar() || r.has_ranges() || !r.has_set())
        return "Resource '" + r.name() + "' of type SET must have only 'set' set";
    std::set<std::string> seen;
    for (const auto& item : r.set().item())
        if (!seen.insert(item).second)
            return "Invalid set resource '" + r.name() + "': duplicated element";
    return {};
}

Fault check_disk(const v1::Resource& r)
{
    if (r.has_disk() && r.name() != "disk")
        return "DiskInfo should not be set for '" + r.name() + "' resource";
    if (r.disk().has_source()) {
        using Source = v1::Resource::DiskInfo::Source;
        const auto& source = r.disk().source();
        if (source.type() == Source::UNKNOWN)
            return std::string{"Unsupported 'DiskInfo.Source.Type'"};
        const bool raw = source.type() == Source::BLOCK || source.type() == Source::RAW;
        if (raw && (source.has_path() || source.has_mount()))
            return std::string{"A BLOCK or RAW disk must have neither 'path' nor 'mount'"};
    }
    if (r.has_shared() && (r.name() != "disk" || !r.disk().has_persistence()))
        return std::string{"Only persistent volumes can be shared"};
    return {};
}

Fault check_pre_form(const v1::Resource& r)
{
    if (r.has_role())
        if (auto fault = check_role(r.role())) return fault;
    if (!r.has_reservation()) return {};
    if (r.reservation().has_type() || r.reservation().has_role())
        return std::string{"'Resource.ReservationInfo.type' and 'role' must not be set here"};
    if (r.role() == "*")
        return "Resource '" + r.name() + "' with role '*' cannot be dynamically reserved";
    return {};
}

Fault check_reservation_stack(const v1::Resource& r)
{
    for (int i = 0; i < r.reservations_size(); ++i) {
        const auto& entry = r.reservations(i);
        if (!entry.has_type() || entry.type() == Reservation::UNKNOWN)
            return std::string{"Invalid reservation: 'type' field must be set"};
        if (!entry.has_role()) return std::string{"Invalid reservation: 'role' field must be set"};
        if (auto fault = check_role(entry.role())) return fault;
        if (entry.role() == "*") return std::string{"Invalid reservation: role '*' cannot reserve"};
        if (i == 0) continue;
        if (entry.type() != Reservation::DYNAMIC)
            return std::string{"Invalid reservation: a refined reservation must be DYNAMIC"};
        const std::string& parent = r.reservations(i - 1).role();
        if (!entry.role().starts_with(parent + "/"))
            return "Invalid reservation: role '" + entry.role() + "' does not refine '" + parent +
                   "'";
    }
    return {};
}

Fault check_mixture(const v1::Resource& r)
{
    if (r.reservations_size() > 1 && (r.has_role() || r.has_reservation()))
        return std::string{
            "'role' and 'reservation' must not be set beside refined 'reservations'"};
    if (r.reservations_size() != 1) return {};
    const auto& entry = r.reservations(0);
    if (r.has_role() && r.role() != entry.role())
        return std::string{"'Resource.role' does not match 'Resource.reservations'"};
    if (!r.has_role() && !r.has_reservation()) return {};
    const bool dynamic = entry.type() == Reservation::DYNAMIC;
    if (dynamic != r.has_reservation())
        return std::string{"'Resource.reservation' does not match 'Resource.reservations'"};
    if (!dynamic) return {};
    const auto& old = r.reservation();
    const bool same =
        old.has_principal() == entry.has_principal() && old.principal() == entry.principal() &&
        same_labels(old.has_labels(), old.labels(), entry.has_labels(), entry.labels());
    if (!same) return std::string{"'Resource.reservation' does not match 'Resource.reservations'"};
    return {};
}

}  // namespace

Fault check_structure(const v1::Resource& resource)
{
    if (resource.name().empty()) return std::string{"Empty resource name"};
    Fault fault;
    switch (resource.type()) {
        case v1::Value::SCALAR: fault = check_scalar(resource); break;
        case v1::Value::RANGES: fault = check_ranges(resource); break;
        case v1::Value::SET: fault = check_set(resource); break;
        case v1::Value::TEXT: fault = "Unsupported resource type"; break;
    }
    if (!fault) fault = check_disk(resource);
    if (!fault)
        fault = resource.reservations_size() == 0 ? check_pre_form(resource)
                                                  : check_reservation_stack(resource);
    if (!fault) fault = check_mixture(resource);
    if (!fault && resource.name() == "gpus" && to_milli(resource.scalar().value()) % 1000 != 0)
        fault = "The 'gpus' resource must be an unsigned integer";
    const bool dynamic = is_dynamically_reserved(resource) || resource.has_reservation();
    if (!fault && dynamic && resource.has_revocable())
        fault = "Dynamically reserved resource " + resource.name() +
                " cannot be created from revocable";
    if (fault) return "Invalid resource: " + *fault;
    return {};
}

Fault check_structure(const Resources::List& resources)
{
    for (const auto& resource : resources)
        if (auto fault = check_structure(resource)) return fault;
    return {};
}

void to_post_form(v1::Resource& resource)
{
    if (resource.reservations_size() == 0 && resource.has_role() && resource.role() != "*") {
        auto& entry = *resource.add_reservations();
        if (resource.has_reservation()) {
            entry = resource.reservation();
            entry.set_type(Reservation::DYNAMIC);
        } else {
            entry.set_type(Reservation::STATIC);
        }
        entry.set_role(resource.role());
    }
    resource.clear_role();
    resource.clear_reservation();
}

void to_post_form(Resources::List& resources)
{
    for (auto& resource : resources) to_post_form(resource);
}

void to_pre_form(v1::Resource& resource)
{
    if (resource.reservations_size() == 0) {
        resource.set_role("*");
        return;
    }
    const Reservation entry = resource.reservations(0);
    resource.clear_reservations();
    resource.set_role(entry.role());
    if (entry.type() != Reservation::DYNAMIC) return;
    auto& reservation = *resource.mutable_reservation();
    if (entry.has_principal()) reservation.set_principal(entry.principal());
    if (entry.has_labels()) *reservation.mutable_labels() = entry.labels();
}

Fault check_role(const std::string& role)
{
    if (role == "*") return {};
    if (role.empty()) return std::string{"Empty role name is invalid"};
    if (role.front() == '/') return "Role '" + role + "' cannot start with a slash";
    if (role.back() == '/') return "Role '" + role + "' cannot end with a slash";
    std::size_t begin = 0;
    while (begin <= role.size()) {
        const std::size_t end = std::min(role.find('/', begin), role.size());
        const std::string part = role.substr(begin, end - begin);
        if (part.empty()) return "Role '" + role + "' cannot contain two adjacent slashes";
        if (part == "." || part == ".." || part == "*")
            return "Role '" + role + "' cannot include '" + part + "' as a component";
        if (part.front() == '-')
            return "Role component '" + part + "' is invalid because it begins with a dash";
        if (part.find_first_of(" \t\n\v\f\r\x7f") != std::string::npos)
            return "Role component '" + part +
                   "' is invalid because it contains backspace or whitespace";
        begin = end + 1;
    }
    return {};
}

Fault check_id(const std::string& id)
{
    if (id.empty()) return std::string{"ID must not be empty"};
    if (id.size() > 255) return std::string{"ID must not be greater than 255 characters"};
    if (id == "." || id == "..") return "'" + id + "' is disallowed";
    const auto bad = [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\';
    };
    if (std::ranges::any_of(id, bad)) return "'" + id + "' contains invalid characters";
    return {};
}

bool is_uuid_bytes(const std::string& bytes)
{
    if (bytes.size() != 16) return false;
    const int version = static_cast<unsigned char>(bytes[6]) >> 4;
    return version >= 1 && version <= 5;
}

}  // namespace mysos::standin
