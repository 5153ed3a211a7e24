#include "common/placement/placement.hpp"

#include "common/mesos/resources.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace mysos::placement {
namespace {

bool is_for_anybody(const mesos::Resource& item, const std::string& role, Unreserved unreserved)
{
    if (item.foreign || item.persistence) return false;
    if (item.reservations.empty()) return unreserved == Unreserved::used;
    if (item.reservations.size() != 1) return false;
    const mesos::Reservation& reservation = item.reservations.front();
    return reservation.role == role && (!reservation.labels || reservation.labels->empty());
}

std::int64_t count(const mesos::Ranges& ranges)
{
    return std::accumulate(
        ranges.begin(), ranges.end(), std::int64_t{0}, [](std::int64_t sum, mesos::Range range) {
            return sum + static_cast<std::int64_t>(range.end - range.begin) + 1;
        });
}

struct Row {
    Lack::Kind kind;
    std::int64_t Amounts::*amount;
};
constexpr std::array<Row, 4> rows{{
    {Lack::Kind::cpus, &Amounts::milli_cpus},
    {Lack::Kind::mem, &Amounts::mem_mb},
    {Lack::Kind::disk, &Amounts::disk_mb},
    {Lack::Kind::ports, &Amounts::ports},
}};

std::string decimal(std::int64_t thousandths)
{
    std::string text = std::to_string(thousandths / 1000);
    const std::int64_t rest = thousandths % 1000;
    if (rest == 0) return text;
    std::string digits = std::to_string(1000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    return text + '.' + digits;
}

std::string together(const Amounts& need)
{
    std::string text;
    for (const Row& row : rows) {
        if (!text.empty()) text += row.kind == Lack::Kind::ports ? " and " : ", ";
        text += to_text(row.kind, need.*row.amount);
    }
    return text;
}

std::string explain_amounts(const Amounts& need, const Amounts& largest)
{
    std::string text;
    for (const Lack& lack : lacks(need, largest)) {
        if (!text.empty()) text += "; ";
        text += "no agent offers " + to_text(lack.kind, lack.needed) + "; largest offered ";
        text +=
            lack.kind == Lack::Kind::cpus ? decimal(lack.offered) : std::to_string(lack.offered);
    }
    return text;
}

/// The constraints that no agent satisfies, each for itself.
std::string explain_constraints(
    const Constraints& constraints, const Places& places, const Places& others)
{
    std::string text;
    for (const Constraint& constraint : constraints) {
        const bool any = std::ranges::any_of(
            places, [&](const Place& place) { return allows(constraint, place, others); });
        if (any) continue;
        if (!text.empty()) text += "; ";
        text += explain(constraint, places, others);
    }
    return text;
}

}  // namespace

Amounts available(const mesos::Offer& offer, const std::string& role, Unreserved unreserved)
{
    Amounts result;
    const mesos::Pool pool{offer.resources};
    for (const mesos::Resource& item : pool.items()) {
        if (!is_for_anybody(item, role, unreserved)) continue;
        if (const auto* ranges = std::get_if<mesos::Ranges>(&item.value)) {
            if (item.name == "ports") result.ports = std::max(result.ports, count(*ranges));
            continue;
        }
        const auto* scalar = std::get_if<mesos::Scalar>(&item.value);
        if (scalar == nullptr) continue;
        const std::int64_t thousandths = scalar->thousandths;
        if (item.name == "cpus") result.milli_cpus = std::max(result.milli_cpus, thousandths);
        if (item.name == "mem") result.mem_mb = std::max(result.mem_mb, thousandths / 1000);
        if (item.name == "disk") result.disk_mb = std::max(result.disk_mb, thousandths / 1000);
    }
    return result;
}

std::vector<Lack> lacks(const Amounts& need, const Amounts& offered)
{
    std::vector<Lack> result;
    for (const Row& row : rows) {
        if (offered.*row.amount < need.*row.amount) {
            result.push_back({row.kind, need.*row.amount, offered.*row.amount});
        }
    }
    return result;
}

std::string explain(
    const Amounts& need,
    const std::map<mesos::AgentId, Offered>& offered,
    const std::set<mesos::AgentId>& occupied,
    const Constraints& constraints,
    const Places& others)
{
    if (offered.empty()) return "no offer has come yet";
    Amounts largest;
    Places places;
    bool any_fits = false;
    bool any_closes = false;
    bool all_occupied = true;
    for (const auto& [agent, one] : offered) {
        for (const Row& row : rows) {
            largest.*row.amount = std::max(largest.*row.amount, one.amounts.*row.amount);
        }
        places.push_back(one.place);
        if (occupied.contains(agent)) continue;
        all_occupied = false;
        const bool is_enough = lacks(need, one.amounts).empty();
        if (!is_enough || !allows(constraints, one.place, others)) continue;
        (one.closing ? any_closes : any_fits) = true;
    }
    if (any_fits) return {};
    if (any_closes) return "maintenance is planned for every agent that would do";

    std::string text = explain_amounts(need, largest);
    if (text.empty()) text = explain_constraints(constraints, places, others);
    if (!text.empty()) return text;
    if (all_occupied)
        return "every agent that made an offer holds a member of this cluster already";
    text = occupied.empty() ? "no agent" : "no agent without a member of this cluster";
    const char* joint = " that satisfies ";
    for (const Constraint& constraint : constraints) {
        text += std::exchange(joint, " and ") + to_text(constraint);
    }
    return text + " offers " + together(need) + " at once";
}

std::string to_text(Lack::Kind kind, std::int64_t amount)
{
    switch (kind) {
        case Lack::Kind::cpus: return decimal(amount) + " cpus";
        case Lack::Kind::mem: return std::to_string(amount) + " MB of memory";
        case Lack::Kind::disk: return std::to_string(amount) + " MB of disk";
        case Lack::Kind::ports: return std::to_string(amount) + " ports";
    }
    return {};
}

}  // namespace mysos::placement
