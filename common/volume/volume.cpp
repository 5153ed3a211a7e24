#include "common/volume/volume.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace mysos::volume {
namespace {

using mesos::Resource;
using mesos::Resources;
using placement::Lack;

constexpr const char* container_path = "data";

bool is_volume(const Resource& item, const mesos::PersistenceId& id)
{
    return item.persistence && item.persistence->id == id;
}

bool is_reservation(const Resource& item, const mesos::PersistenceId& id)
{
    return !item.persistence && labelled(item) == id;
}

enum class Form {
    ours,      ///< Reserved for this very member.
    anybodys,  ///< Reserved to the role by an operator, without a label.
    free,
};

bool has_form(const Resource& item, Form form, const Want& want)
{
    if (item.persistence) return false;
    if (form == Form::free) return item.reservations.empty();
    if (item.reservations.size() != 1 || item.reservations.front().role != want.role) return false;
    if (form == Form::ours) return labelled(item) == want.id;
    const auto& labels = item.reservations.front().labels;
    return !labels || labels->empty();
}

/// Takes one resource after the other off the offer, and remembers what has to be reserved first.
class Taker {
  public:
    Taker(const mesos::Offer& offer, const Want& want, bool may_reserve)
        : want_{want}, pool_{offer.resources}, may_reserve_{may_reserve}
    {}

    std::optional<Resource> scalar(const std::string& name, std::int64_t thousandths)
    {
        std::int64_t largest = 0;
        for (const Form form : forms()) {
            for (const Resource& item : pool_.items()) {
                const auto* held = std::get_if<mesos::Scalar>(&item.value);
                if (item.name != name || held == nullptr || !has_form(item, form, want_)) continue;
                largest = std::max(largest, held->thousandths);
                if (held->thousandths < thousandths) continue;
                Resource wanted = item;
                wanted.value = mesos::Scalar{thousandths};
                return take(std::move(wanted), form);
            }
        }
        lack(name, thousandths, largest);
        return std::nullopt;
    }

    /// Two ports out of one item: the ones wanted where it has them, else its lowest that are not
    /// taken.
    std::optional<Resource> ports(std::uint16_t& port, std::uint16_t& peer_port)
    {
        std::int64_t largest = 0;
        for (const Form form : forms()) {
            for (const Resource& item : pool_.items()) {
                const auto* held = std::get_if<mesos::Ranges>(&item.value);
                if (item.name != "ports" || held == nullptr || !has_form(item, form, want_))
                    continue;
                const std::vector<std::uint16_t> chosen = choose(*held);
                largest = std::max(largest, static_cast<std::int64_t>(chosen.size()));
                if (chosen.size() < 2) continue;
                port = chosen[0];
                peer_port = chosen[1];
                Resource wanted = item;
                wanted.value = mesos::normalised({{port, port}, {peer_port, peer_port}});
                return take(std::move(wanted), form);
            }
        }
        lacks_.push_back({Lack::Kind::ports, 2, largest});
        return std::nullopt;
    }

    std::optional<Resource> volume()
    {
        const auto is_wanted = [this](const Resource& item) { return is_volume(item, want_.id); };
        const auto found = std::ranges::find_if(pool_.items(), is_wanted);
        if (found == pool_.items().end()) return std::nullopt;
        Resource result = *found;
        pool_.take(result);
        return result;
    }

    [[nodiscard]] const Resources& to_reserve() const { return to_reserve_; }
    [[nodiscard]] const std::vector<Lack>& lacks() const { return lacks_; }

  private:
    [[nodiscard]] std::vector<Form> forms() const
    {
        const bool uses_free = want_.unreserved == placement::Unreserved::used;
        if (may_reserve_ && uses_free) return {Form::ours, Form::anybodys, Form::free};
        return {Form::ours, Form::anybodys};
    }

    Resource take(Resource wanted, Form form)
    {
        pool_.take(wanted);
        if (form != Form::free) return wanted;
        Resource target = reserved(std::move(wanted), want_.role, want_.principal, want_.id);
        to_reserve_.push_back(target);
        return target;
    }

    [[nodiscard]] std::vector<std::uint16_t> choose(const mesos::Ranges& held) const
    {
        std::vector<std::uint16_t> chosen;
        const auto has = [&held](std::uint16_t number) {
            return std::ranges::any_of(held, [number](const mesos::Range& range) {
                return range.begin <= number && number <= range.end;
            });
        };
        const auto add = [&chosen](std::uint16_t number) {
            if (chosen.size() == 2 || std::ranges::count(chosen, number) != 0) return;
            chosen.push_back(number);
        };
        const bool keeps_port = want_.port != 0 && has(want_.port);
        if (keeps_port) add(want_.port);
        if (keeps_port && want_.peer_port != 0 && has(want_.peer_port)) add(want_.peer_port);
        for (const bool is_taken : {false, true}) {
            for (const mesos::Range& range : held) {
                const std::uint64_t first = std::max<std::uint64_t>(range.begin, 1);
                const std::uint64_t last = std::min<std::uint64_t>(range.end, 65535);
                for (std::uint64_t n = first; n <= last && chosen.size() < 2; ++n) {
                    const auto number = static_cast<std::uint16_t>(n);
                    if (want_.taken_ports.contains(number) == is_taken) add(number);
                }
            }
        }
        return chosen;
    }

    void lack(const std::string& name, std::int64_t wanted, std::int64_t offered)
    {
        if (name == "cpus") lacks_.push_back({Lack::Kind::cpus, wanted, offered});
        const std::int64_t needed = (wanted + 999) / 1000;
        if (name == "mem") lacks_.push_back({Lack::Kind::mem, needed, offered / 1000});
        if (name == "disk") lacks_.push_back({Lack::Kind::disk, needed, offered / 1000});
    }

    const Want& want_;
    mesos::Pool pool_;
    bool may_reserve_;
    Resources to_reserve_;
    std::vector<Lack> lacks_;
};

/// One taken amount as two: the executor's, and the rest for the task.
void split(const Resource& whole, std::int64_t executors, Plan& plan)
{
    Resource part = whole;
    part.value = mesos::Scalar{executors};
    plan.executor.push_back(part);
    part.value = mesos::Scalar{std::get<mesos::Scalar>(whole.value).thousandths - executors};
    plan.task.push_back(std::move(part));
}

Resource volume_on(const Resource& disk, const Want& want)
{
    Resource result = disk;
    result.value = mesos::Scalar{
        std::get<mesos::Scalar>(disk.value).thousandths - mesos::whole(executor_share.disk_mb)};
    result.persistence = mesos::Persistence{want.id, want.principal};
    result.volume = mesos::Volume{container_path, false};
    return result;
}

}  // namespace

std::variant<Plan, Unfit> plan(const mesos::Offer& offer, const Want& want)
{
    const Trace found = trace(offer, want.id);
    if (want.has_data && found != Trace::volume) return Unfit{Unfit::Why::no_volume, {}};

    // What was once reserved for the member is whole again as soon as its last executor has ended;
    // to reserve more beside it would only leave something over.
    const bool may_reserve = found == Trace::none || want.top_up;
    Taker taker{offer, want, may_reserve};
    Plan result;
    result.port = want.port;
    result.peer_port = want.peer_port;

    const auto cpus = taker.scalar("cpus", want.need.milli_cpus);
    const auto mem = taker.scalar("mem", mesos::whole(want.need.mem_mb));
    std::optional<Resource> volume = taker.volume();
    const std::int64_t disk_mb = volume ? executor_share.disk_mb : want.need.disk_mb;
    const auto disk = taker.scalar("disk", mesos::whole(disk_mb));
    const auto ports = taker.ports(result.port, result.peer_port);
    if (!cpus || !mem || !disk || !ports) {
        const auto why = may_reserve ? Unfit::Why::lacking : Unfit::Why::partial;
        return Unfit{why, taker.lacks()};
    }

    if (!taker.to_reserve().empty()) {
        result.operations.emplace_back(mesos::Reserve{taker.to_reserve()});
    }
    if (!volume) {
        volume = volume_on(*disk, want);
        result.operations.emplace_back(mesos::Create{{*volume}});
    }
    split(*cpus, executor_share.milli_cpus, result);
    split(*mem, mesos::whole(executor_share.mem_mb), result);
    result.task.push_back(*volume);
    result.task.push_back(*ports);
    Resource executor_disk = *disk;
    executor_disk.value = mesos::Scalar{mesos::whole(executor_share.disk_mb)};
    result.executor.push_back(std::move(executor_disk));
    return result;
}

Trace trace(const mesos::Offer& offer, const mesos::PersistenceId& id)
{
    const auto volume = [&id](const Resource& item) { return is_volume(item, id); };
    const auto reservation = [&id](const Resource& item) { return is_reservation(item, id); };
    if (std::ranges::any_of(offer.resources, volume)) return Trace::volume;
    if (std::ranges::any_of(offer.resources, reservation)) return Trace::reservations;
    return Trace::none;
}

std::vector<mesos::Operation> release(
    const mesos::Offer& offer, const mesos::PersistenceId& id, bool due)
{
    const Trace found = trace(offer, id);
    if (found == Trace::none || (found == Trace::volume && !due)) return {};

    Resources volumes;
    Resources reservations;
    const mesos::Pool pool{offer.resources};
    for (const Resource& item : pool.items()) {
        if (is_volume(item, id)) {
            volumes.push_back(item);
            // Without our label it is part of an operator's reservation, which stays.
            if (labelled(item) != id) continue;
            Resource disk = item;
            disk.persistence.reset();
            disk.volume.reset();
            reservations.push_back(std::move(disk));
        } else if (is_reservation(item, id)) {
            reservations.push_back(item);
        }
    }
    std::vector<mesos::Operation> operations;
    if (!volumes.empty()) operations.emplace_back(mesos::Destroy{std::move(volumes)});
    if (!reservations.empty()) operations.emplace_back(mesos::Unreserve{std::move(reservations)});
    return operations;
}

std::vector<mesos::PersistenceId> ids(const mesos::Offer& offer, const std::string& role)
{
    std::vector<mesos::PersistenceId> result;
    for (const Resource& item : offer.resources) {
        if (item.reservations.empty() || item.reservations.back().role != role) continue;
        if (item.persistence) result.push_back(item.persistence->id);
        if (const auto id = labelled(item)) result.push_back(*id);
    }
    std::ranges::sort(result);
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
}

}  // namespace mysos::volume
