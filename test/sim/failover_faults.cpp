#include "test/sim/failover_world.hpp"

#include <algorithm>
#include <chrono>

// Servers that hang, networks that are cut, and how both look from outside.
namespace mysos::sim {
namespace {

using namespace std::chrono_literals;

/// After so long a probe is given up, and a receiver believes its source to be gone.
constexpr Duration patience = 2s;

/// Things happen one by one here: what the scheduler heard last may be as old.
constexpr Duration news_age_max = 6s;

}  // namespace

void World::cut(MemberId one, MemberId other)
{
    if (one == other) return;
    cuts_.insert({one, other});
    for (auto& [id, member] : members_) {
        if (member.source && is_cut(id, *member.source)) member.link = false;
    }
}

bool World::is_cut(MemberId one, MemberId other) const
{
    return cuts_.contains({one, other});
}

void World::hang(Member& member)
{
    if (!member.machine_up || member.role == Member::Role::down || member.hung) return;
    tell("server of " + std::to_string(number(member.id)) + " hangs");
    member.before_hang = look_at(member);
    member.hung = true;
    member.hung_at = now_;
}

void World::resume(Member& member)
{
    member.hung = false;
}

void World::note_packets()
{
    for (auto& [id, member] : members_) {
        if (member.role != Member::Role::replica || !member.link || member.hung) continue;
        const Member& source = members_.at(*member.source);
        const bool sends = source.role == Member::Role::primary && !source.hung;
        if (sends) member.packet_at = now_;
    }
}

/// As the executor tells it. A connection over which nothing comes looks well for a while at both
/// of its ends.
mysql::Observation World::look_at(const Member& member) const
{
    mysql::Observation seen = member.observe(broken_);
    if (member.hung) {
        if (now_ - member.hung_at < patience) return member.before_hang;
        mysql::Observation silent;
        silent.phase = seen.phase;
        silent.epoch = seen.epoch;
        silent.amnesiac = seen.amnesiac;
        silent.unanswered = now_ - member.hung_at;
        return silent;
    }
    if (member.role == Member::Role::replica) {
        const bool is_closed = members_.at(*member.source).role != Member::Role::primary;
        seen.packet_age = now_ - member.packet_at;
        seen.receiver_running = !is_closed && !member.refused && seen.packet_age < patience;
    }
    if (member.role == Member::Role::primary) {
        std::uint32_t waiting = 0;
        std::uint64_t acknowledged = 0;
        for (const auto& [id, other] : members_) {
            const bool counts = other.role == Member::Role::replica && other.acknowledges &&
                                other.source == member.id && member.let_in.contains(id);
            if (counts) ++seen.semi_sync_clients;
        }
        for (const Transaction& transaction : member.log) {
            if (transaction.is_marker || transaction.epoch != member.leads) continue;
            if (acknowledged_.contains(transaction.id)) {
                ++acknowledged;
            } else {
                ++waiting;
            }
        }
        seen.commits_waiting = async_ ? 0 : waiting;
        seen.commits_acknowledged = acknowledged;
    }
    return seen;
}

/// Connections that look well to it. One that the other side closed is seen to be gone at once, if
/// the network lets that through; one that is cut is noticed when nothing that is sent is taken.
std::uint32_t World::receivers(const Member& primary, Watch& watch) const
{
    std::uint32_t count = 0;
    for (const auto& [id, other] : members_) {
        if (id == primary.id || !primary.let_in.contains(id)) continue;
        const bool is_well = other.role == Member::Role::replica && other.link &&
                             other.acknowledges && other.source == primary.id && other.machine_up &&
                             !is_cut(id, primary.id);
        const auto well_at = watch.receiver_at.find(id);
        if (is_well) {
            watch.receiver_at[id] = now_;
            ++count;
        } else if (well_at == watch.receiver_at.end()) {
            continue;
        } else if (other.machine_up && !is_cut(id, primary.id)) {
            watch.receiver_at.erase(id);
        } else if (
            broken_ == Broken::async_half_open || now_ - well_at->second < watch.receiver_notice) {
            ++count;
        }
    }
    return count;
}

/// A primary that may have been replaced ends itself.
void World::watch(Member& member, Watch& watch)
{
    using namespace executor::fencing;
    const executor::fencing::Config config;
    const auto feed = [&](const Input& input) {
        const bool fences = !step(watch.fencing, config, input, now_).empty();
        if (!fences || member.role != Member::Role::primary) return;
        if (broken_ == Broken::async_never_fences) return;
        tell("server of " + std::to_string(number(member.id)) + " ends itself");
        member.crash_server();
    };
    if (!member.machine_up) {
        watch = Watch{};
        return;
    }
    if (streams_.at(member.id).up) {
        watch.stream_up_at = now_;
        watch.stream_notice = std::chrono::milliseconds{prng_.below(3'000)};
        if (!watch.fencing.stream_up) feed(StreamOpened{});
    } else if (watch.fencing.stream_up && now_ - watch.stream_up_at >= watch.stream_notice) {
        feed(StreamLost{});
    }
    if (member.role != Member::Role::primary) {
        watch.receiver_at.clear();
        watch.receiver_notice = std::chrono::milliseconds{prng_.below(2'750)};
        return feed(NotPrimary{});
    }
    if (member.hung) {
        feed(ServerSilent{});
    } else {
        // A look takes a while, and tells how it was when it began.
        const TimePoint asked_at = now_ - std::chrono::milliseconds{prng_.below(400)};
        const auto required = static_cast<std::uint32_t>(member.acks);
        feed(ReceiversSeen{receivers(member, watch), required, asked_at});
    }
    feed(DeadlinePassed{});
}

void World::watch_all()
{
    for (auto& [id, watched] : watches_) watch(members_.at(id), watched);
}

bool World::can_commit(const Member& primary) const
{
    return primary.role == Member::Role::primary && !primary.hung &&
           acknowledgers(primary).size() >= primary.acks;
}

/// A primary that serves must be left alone, whatever the scheduler hears or does not hear. What it
/// hears is a moment old.
void World::check_call()
{
    const Member& last = members_.at(scheduler_.record().last.member);
    if (!last.writable || !can_commit(last)) helpless_at_ = now_;
    if (!scheduler_.called_for) return;
    called_for_ = scheduler_.called_for;
    scheduler_.called_for.reset();
    if (now_ - helpless_at_ <= news_age_max) return;
    fail(std::string{"a primary that served was replaced: "} + diagnosis::code(*called_for_));
}

void World::live_round()
{
    now_ += 300ms;
    note_packets();
    watch_all();
    scheduler_.tick(now_);
    check_call();
    for (auto& [id, member] : members_) {
        post();
        while (!streams_.at(id).orders.empty()) obey_next(member, 0);
        observe(member);
        check_call();
        for (int i = 0; i < 8; ++i) receive(member);
        apply(member);
    }
    post();
    acknowledge();
    check_primaries();
    check_epoch();
}

std::string World::pass(Duration duration, bool writes)
{
    const TimePoint end = now_ + duration;
    called_for_.reset();
    while (now_ < end && wrong_.empty()) {
        if (writes) write(members_.begin()->second);
        live_round();
        for (const std::string& line : scheduler_.said) tell(line);
        scheduler_.said.clear();
    }
    return wrong_;
}

}  // namespace mysos::sim
