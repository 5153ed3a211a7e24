#include "test/sim/failover_world.hpp"

#include "common/base/overload.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace mysos::sim {
namespace {

using namespace std::chrono_literals;

/// Kinds of worlds; the rest are mixed.
constexpr std::uint64_t churn = 1;  ///< Members come and go, k with them.
constexpr std::uint64_t storm = 2;  ///< Servers restart all the time.
constexpr std::uint64_t lag = 3;    ///< Answers and transactions are late, orders are repeated.

/// With a number of its own, so that the worlds of other sizes stay what they were.
bool draw_policy(std::uint64_t seed, World::Kind kind)
{
    constexpr std::uint64_t apart = 0x7f4a7c15;
    return kind != World::Kind::drawn || Prng{seed ^ apart}.one_in(2);
}

std::set<MemberId> draw_members(Prng& prng, bool churns, World::Kind kind)
{
    if (kind == World::Kind::pair) return {MemberId{1}, MemberId{2}};
    std::set<MemberId> members;
    constexpr std::array<std::uint32_t, 8> sizes{1, 2, 3, 3, 3, 4, 5, 5};
    const std::uint32_t size = sizes.at((churns ? 5 : 0) + prng.below(churns ? 3 : sizes.size()));
    for (std::uint32_t id = 1; id <= size; ++id) members.insert(MemberId{id});
    return members;
}

bool is_election_order(const Order& order)
{
    return std::holds_alternative<control::Prepare>(order.message) ||
           std::holds_alternative<control::Promote>(order.message) ||
           std::holds_alternative<control::Open>(order.message);
}

std::string name(MemberId id)
{
    return std::to_string(number(id));
}

/// Whether its executor can do anything with that order: a primary's server is killed for it.
bool rouse(Member& member, const Order& order)
{
    if (std::holds_alternative<control::Promote>(order.message)) {
        member.crash_server();  // It did not do it in time.
        return false;
    }
    const bool kills = std::holds_alternative<control::Prepare>(order.message) ||
                       std::holds_alternative<control::Follow>(order.message);
    if (!kills || member.role != Member::Role::primary) return false;
    member.crash_server();  // And start it again.
    return true;
}

std::string describe(const Order& order)
{
    const auto at = [](const char* what, Epoch epoch) {
        return std::string{what} + " e" + std::to_string(number(epoch));
    };
    return std::visit(
        Overload{
            [&](const control::Prepare& o) { return at("prepare", o.epoch); },
            [&](const control::Promote& o) {
                return at("promote", o.epoch) + " k=" + std::to_string(o.acks);
            },
            [&](const control::Follow& o) {
                return at("follow", o.epoch) + " " + name(o.primary) +
                       (o.acknowledge ? " acknowledging" : "") + (o.caught_up ? " caught up" : "");
            },
            [&](const control::Open& o) { return at("open", o.epoch); },
            [&](const control::SetAcknowledgers& o) {
                return at("set", o.epoch) + " k=" + std::to_string(o.acks);
            },
            [&](const control::LockAccount& o) {
                return at("lock", o.epoch) + " " + name(o.member);
            },
            [&](const control::Rebuild& o) {
                return at("rebuild", o.epoch) + " from " + name(o.donor);
            },
            [](const auto&) { return std::string{"nothing"}; }},
        order.message);
}

}  // namespace

World::World(std::uint64_t seed, Broken broken, Kind kind)
    : prng_{seed},
      broken_{broken},
      weather_{prng_.below(4)},
      flavor_{weather_ == churn || prng_.one_in(2) ? mysql::Flavor::mysql : mysql::Flavor::mariadb},
      async_{kind == Kind::async},
      scheduler_{
          prng_,
          broken,
          flavor_,
          draw_members(prng_, weather_ == churn, kind),
          draw_policy(seed, kind),
          kind == Kind::async}
{
    // Which faults there are, and how many of them, differs from world to world.
    const auto draw = [this](std::uint64_t most) {
        return prng_.one_in(3) ? 0 : prng_.below(most);
    };
    const std::uint64_t calm = 1 + prng_.below(2);
    const std::uint64_t churns = weather_ == churn ? 25 : 0;
    const std::uint64_t storms = weather_ == storm ? 25 : 0;
    const bool lags = weather_ == lag || (weather_ == storm && prng_.one_in(2));
    happenings_ = {
        {&World::write, 30 * calm},
        {&World::receive, (20 + prng_.below(60)) * calm / (lags ? 3 : 1)},
        {&World::apply, (2 + prng_.below(25)) * calm},
        {&World::deliver_order, 60 * calm},
        {&World::deliver_answer, 60 * calm / (lags ? 3 : 1)},
        {&World::observe, 60 * calm},
        {&World::tick, (lags ? 60 : 20) * calm + storms},
        {&World::crash_server, draw(12) + storms},
        {&World::crash_machine, draw(8)},
        {&World::bring_back, 6 + prng_.below(20)},
        {&World::cut_link, draw(8)},
        {&World::mend_link, 8},
        {&World::hang, draw(8)},
        {&World::resume, 4},
        {&World::cut_stream, draw(10)},
        {&World::mend_stream, 10},
        {&World::suspect, draw(12)},
        {&World::restart_scheduler, draw(3)},
        {&World::leave, draw(6) + churns},
        {&World::join, 4 + 2 * churns}};
    for (const Fault& fault : happenings_) weight_sum_ += fault.weight;
    scheduler_.dies_once_in = prng_.one_in(2) ? 0 : 40 + prng_.below(100);
    scheduler_.knows_high_water = prng_.one_in(2);

    for (const MemberId id : scheduler_.members()) {
        Member member;
        member.id = id;
        member.flavor = flavor_;
        member.role = Member::Role::fenced;
        members_.emplace(id, member);
        streams_[id];
        if (async_) watches_[id];
    }
    scheduler_.restart(now_);
    post();
    // The cluster comes up before anything goes wrong.
    if (!prng_.one_in(4)) {
        for (int round = 0; round < 40 && !scheduler_.published(); ++round) settle_round();
    }
}

std::string World::advance()
{
    ++steps_;
    std::uint64_t drawn = prng_.below(weight_sum_);
    const auto chosen = std::ranges::find_if(happenings_, [&drawn](const Fault& fault) {
        if (drawn < fault.weight) return true;
        drawn -= fault.weight;
        return false;
    });
    const auto who = static_cast<std::ptrdiff_t>(prng_.below(members_.size()));
    Member* member = &std::next(members_.begin(), who)->second;
    const auto primary = scheduler_.published();
    if (primary && prng_.one_in(4)) member = &members_.at(*primary);
    (this->*chosen->happen)(*member);
    post();
    for (const std::string& line : scheduler_.said) tell(line);
    scheduler_.said.clear();
    if (scheduler_.is_dead()) restart_scheduler(*member);
    note_packets();
    watch_all();
    acknowledge();
    check_call();
    check_primaries();
    check_epoch();
    return wrong_;
}

void World::tell(const std::string& what)
{
    story_.push_back(what);
    if (story_.size() > 60) story_.erase(story_.begin());
}

void World::fail(const std::string& what)
{
    if (wrong_.empty()) wrong_ = what;
}

void World::post()
{
    for (auto& [member, order] : scheduler_.sent) {
        Stream& stream = streams_.at(member);
        if (!stream.up) continue;
        if (is_election_order(order) && prng_.one_in(12)) stream.orders.push_back(order);
        stream.orders.push_back(std::move(order));
    }
    scheduler_.sent.clear();
}

void World::write(Member&)
{
    for (auto& [id, member] : members_) {
        if (!member.writable || member.hung) continue;
        // So many that none is lost in the crowd, so few that logs are compared quickly.
        const bool are_enough = last_id_ >= 60 + steps_ / 50;
        if (are_enough || prng_.one_in(2)) continue;
        Transaction transaction{++last_id_, member.leads, id, ++member.written, false};
        member.append(transaction);
        member.applied = member.log.size();
        tell("write " + std::to_string(last_id_) + " on " + name(id));
        return;
    }
}

void World::receive(Member& member)
{
    if (member.role != Member::Role::replica || !member.link || member.hung) return;
    const Member& source = members_.at(*member.source);
    const bool serves =
        source.role == Member::Role::primary && !source.hung && source.let_in.contains(member.id);
    const bool fits = is_prefix(member.log, source.log);
    if (!serves || (!fits && broken_ != Broken::errant_check_skipped)) return;
    const auto next = std::ranges::find_if(source.log, [&member](const Transaction& transaction) {
        return std::ranges::count(member.log, transaction) == 0;
    });
    if (next == source.log.end()) return;
    member.append(*next);
    if (member.log.back().is_marker) marked_[member.log.back().epoch].insert(member.id);
    tell(name(member.id) + " receives " + std::to_string(member.log.back().id));
}

void World::apply(Member& member)
{
    const bool replicates = member.role == Member::Role::replica && !member.hung;
    if (replicates && !member.applier_held && member.applied < member.log.size()) ++member.applied;
}

void World::deliver_order(Member& drawn)
{
    Member* waiting = &drawn;
    for (auto& [id, member] : members_) {
        if (streams_.at(waiting->id).orders.empty()) waiting = &member;
    }
    Member& member = *waiting;
    Stream& stream = streams_.at(member.id);
    if (stream.orders.empty() || !member.machine_up) return;
    // Only words of an election may overtake; the rest rests on the order of a stream.
    const std::size_t at = prng_.below(std::min<std::size_t>(stream.orders.size(), 3));
    obey_next(member, is_election_order(stream.orders[at]) ? at : 0);
}

/// A receiver that asks for more than its source has applied, which a MariaDB source does not bear.
bool World::refuses(const Member& source, const Member& receiver) const
{
    const bool answers = source.machine_up && source.role != Member::Role::down && !source.hung &&
                         !is_cut(source.id, receiver.id);
    return answers && flavor_ == mysql::Flavor::mariadb && source.applied < receiver.log.size() &&
           is_prefix(receiver.log, source.log);
}

void World::obey_next(Member& member, std::size_t at)
{
    Stream& stream = streams_.at(member.id);
    const Order order = stream.orders[at];
    stream.orders.erase(stream.orders.begin() + static_cast<std::ptrdiff_t>(at));
    if (member.hung && !rouse(member, order)) return;
    if (member.applier_held && std::holds_alternative<control::Promote>(order.message)) return;
    Log source_log;
    if (const auto* follow = std::get_if<control::Follow>(&order.message)) {
        const Member& source = members_.at(follow->primary);
        // Without the primary at hand it cannot begin; the order is repeated.
        const bool leads = source.is_leading(follow->epoch);
        if (!leads && !refuses(source, member)) return;
        if (leads) source_log = source.log;
    }
    if (const auto* rebuild = std::get_if<control::Rebuild>(&order.message)) {
        const Member& donor = members_.at(rebuild->donor);
        if (donor.machine_up && !donor.half_copied) source_log = donor.log;
    }
    const Epoch led_before = member.leads;
    const bool was_open = member.writable;
    const Log log_before = member.log;
    const auto answer = obey(member, order, source_log, prng_, broken_);
    if (broken_ == Broken::waiters_released && was_open && !member.writable) {
        release(log_before, led_before);
    }
    if (member.role == Member::Role::replica) {
        member.link = member.link && !is_cut(member.id, *member.source);
        member.packet_at = now_;
    }
    tell(
        name(member.id) + (answer ? " obeys " : " dies of ") + describe(order) + ", holds " +
        std::to_string(member.log.size()) + (member.amnesiac ? ", amnesiac" : ""));
    if (member.role == Member::Role::primary && member.leads != led_before) {
        check_promotion(member);
    }
    if (member.writable && !was_open) check_opening(member);
    for (const Transaction& transaction : member.log) {  // A copy holds markers, too.
        if (transaction.is_marker && transaction.origin != member.id) {
            marked_[transaction.epoch].insert(member.id);
        }
    }
    if (answer && stream.up) stream.answers.push_back(*answer);
}

void World::deliver_answer(Member& drawn)
{
    MemberId from = drawn.id;
    for (const auto& [id, stream] : streams_) {
        if (streams_.at(from).answers.empty()) from = id;
    }
    Stream& stream = streams_.at(from);
    if (stream.answers.empty()) return;
    const Answer answer = stream.answers.front();
    if (!prng_.one_in(12)) stream.answers.pop_front();
    scheduler_.answered(from, answer, now_);
}

void World::observe(Member& member)
{
    if (!member.machine_up || !streams_.at(member.id).up) return;
    // It comes behind the answers that were given before it.
    while (!streams_.at(member.id).answers.empty()) {
        const Answer answer = streams_.at(member.id).answers.front();
        streams_.at(member.id).answers.pop_front();
        scheduler_.answered(member.id, answer, now_);
    }
    scheduler_.observed(member.id, look_at(member), now_);
}

void World::tick(Member&)
{
    now_ += std::chrono::milliseconds{50 + prng_.below(600)};
    if (deposed_ && prng_.one_in(20)) {
        scheduler_.write_back(*deposed_);
        deposed_.reset();
    }
    scheduler_.tick(now_);
    // That may cost nothing: what is acknowledged stays to be found.
    if (scheduler_.lacks_acknowledgers() && prng_.one_in(4)) {
        tell("the operator lets the new primary go on alone");
        const Epoch before = scheduler_.record().epoch;
        scheduler_.force(now_);
        if (scheduler_.record().epoch != before) ++went_on_alone_;
    }
}

void World::crash_server(Member& member)
{
    if (!member.machine_up || member.role == Member::Role::down) return;
    tell("server of " + name(member.id) + " crashes");
    const bool stays_down = member.role == Member::Role::primary;
    member.crash_server();
    if (!stays_down) member.start(prng_, broken_);
}

void World::crash_machine(Member& member)
{
    if (!member.machine_up) return;
    tell("machine of " + name(member.id) + " crashes");
    member.crash_server();
    member.machine_up = false;
    cut_stream(member);
    if (prng_.one_in(2)) scheduler_.ended(member.id, now_);
}

void World::bring_back(Member& member)
{
    if (member.machine_up) return;
    tell(name(member.id) + " is back");
    member.machine_up = true;
    member.start(prng_, broken_);
}

void World::cut_link(Member& member)
{
    if (member.source) cut(member.id, *member.source);
}

void World::mend_link(Member& member)
{
    std::erase_if(cuts_, [&member](const auto& pair) { return pair.contains(member.id); });
    for (auto& [id, other] : members_) {
        other.link =
            other.role == Member::Role::replica && !other.refused && !is_cut(id, *other.source);
    }
}

void World::cut_stream(Member& member)
{
    streams_.at(member.id) = Stream{.up = false, .orders = {}, .answers = {}};
    scheduler_.disconnected(member.id);
}

void World::mend_stream(Member& member)
{
    if (!member.machine_up || streams_.at(member.id).up) return;
    streams_.at(member.id).up = true;
    scheduler_.observed(member.id, look_at(member), now_);
    scheduler_.appeared(member.id, now_);
}

void World::suspect(Member&)
{
    if (!prng_.one_in(2)) return;
    tell("the scheduler suspects the primary");
    scheduler_.suspect(now_);
}

void World::restart_scheduler(Member&)
{
    tell("the scheduler restarts");
    if (broken_ == Broken::deposed_writes) deposed_ = scheduler_.record();
    scheduler_.sent.clear();
    for (auto& [id, stream] : streams_) cut_stream(members_.at(id));
    scheduler_.restart(now_);
}

void World::leave(Member& member)
{
    tell("leave of " + name(member.id) + " is asked");
    scheduler_.ask_leave(member.id, now_);
}

void World::join(Member& member)
{
    scheduler_.ask_join(member.id, now_);
}

}  // namespace mysos::sim
