#include "test/sim/failover_member.hpp"

#include "common/base/overload.hpp"
#include "test/support/builders.hpp"

#include <algorithm>
#include <string>

namespace mysos::sim {
namespace {

using control::Refused;
using mysql::Position;

std::string padded(std::uint32_t value)
{
    const std::string digits = std::to_string(value);
    return std::string(12 - digits.size(), '0') + digits;
}

Position gtid(const Transaction& transaction, mysql::Flavor flavor)
{
    if (flavor == mysql::Flavor::mysql) {
        const std::string uuid =
            transaction.is_marker ? to_text(test::cluster_uuid)
                                  : "aaaaaaaa-0000-4000-8000-" + padded(number(transaction.origin));
        const std::uint64_t n = transaction.is_marker ? number(transaction.epoch) : transaction.n;
        return test::mysql_position(uuid + ":" + std::to_string(n));
    }
    const std::uint64_t sequence =
        (number(transaction.epoch) << mysql::marker_shift) + transaction.n;
    return test::mariadb_position(
        "0-" + std::to_string(number(transaction.origin)) + "-" + std::to_string(sequence));
}

/// Fences: whatever it did, it stops, and what it holds stays.
void fence(Member& member)
{
    member.role = Member::Role::fenced;
    member.leads = Epoch{};
    member.writable = false;
    member.source.reset();
    member.link = false;
    member.refused = false;
    member.acknowledges = false;
}

struct Obeying {
    Member& member;
    const Order& order;
    const Log& source_log;
    Prng& prng;
    Broken broken;

    [[nodiscard]] std::optional<Answer> refuse(
        Refused::Reason reason, Epoch epoch, const char* name) const
    {
        return Answer{Refused{reason, epoch, {}, name}, {}};
    }
    [[nodiscard]] std::optional<Answer> refuse_old(const char* name) const
    {
        return refuse(Refused::Reason::old_epoch, member.promised, name);
    }
    void ensure_started()
    {
        if (member.role == Member::Role::down) member.start(prng, broken);
    }

    std::optional<Answer> operator()(const control::Prepare& prepare)
    {
        if (prepare.epoch < member.promised) return refuse_old("prepare");
        ensure_started();
        const bool has_gone_on = member.followed == prepare.epoch;
        member.promised = prepare.epoch;
        const bool goes_on_receiving =
            broken == Broken::no_prepare_fencing && member.role == Member::Role::replica;
        if (!has_gone_on && !goes_on_receiving) fence(member);
        Epoch marker = member.marker();
        if (broken == Broken::position_alone) marker = Epoch{};
        if (broken == Broken::followed_epoch) marker = member.followed;
        return Answer{
            control::Prepared{prepare.epoch, {}, marker, member.amnesiac, tells_lag()},
            member.told_position(broken)};
    }
    std::optional<Answer> operator()(const control::Promote& promote)
    {
        if (promote.epoch < member.promised) return refuse_old("promote");
        if (member.is_leading(promote.epoch)) {
            return Answer{control::Promoted{promote.epoch, {}}, member.position};
        }
        ensure_started();
        member.promised = promote.epoch;
        if (member.marker() >= promote.epoch) {
            return refuse(Refused::Reason::server_failed, promote.epoch, "promote");
        }
        const bool holds = member.told_position(broken).includes(order.position);
        if (!holds && broken != Broken::promote_without_check) {
            return refuse(Refused::Reason::lacks_position, promote.epoch, "promote");
        }
        fence(member);
        if (prng.one_in(20)) {  // Its server dies before the marker is written.
            member.crash_server();
            return std::nullopt;
        }
        member.role = Member::Role::primary;
        member.leads = promote.epoch;
        member.followed = promote.epoch;
        member.untrimmed = true;
        member.amnesiac = false;
        member.acks = promote.acks;
        if (broken != Broken::promotion_shuts_nobody_out) member.let_in.clear();
        member.let_in.insert(order.accounts.begin(), order.accounts.end());
        if (member.flavor == mysql::Flavor::mariadb) member.written = 0;
        member.append(Transaction{
            1'000'000 + static_cast<std::uint32_t>(number(promote.epoch)) * 16 + number(member.id),
            promote.epoch,
            member.id,
            0,
            true});
        member.applied = member.log.size();
        return Answer{control::Promoted{promote.epoch, {}}, member.position};
    }
    std::optional<Answer> operator()(const control::Follow& follow)
    {
        if (follow.epoch < member.promised) return refuse_old("follow");
        if (member.is_leading(follow.epoch)) {
            return refuse(Refused::Reason::busy, follow.epoch, "follow");
        }
        ensure_started();
        if (member.half_copied || is_errant(follow)) {
            return refuse(Refused::Reason::errant, follow.epoch, "follow");
        }
        if (!follows_already(follow)) repoint(follow);
        const bool caught_up = follow.caught_up && follow.server_run == member.told_run(broken);
        if (caught_up) member.amnesiac = false;
        member.acknowledges = follow.acknowledge;
        return Answer{
            control::Followed{
                follow.epoch, follow.acknowledge, follow.serial, caught_up, follow.server_run},
            {}};
    }
    std::optional<Answer> operator()(const control::Rebuild& rebuild)
    {
        if (rebuild.epoch < member.promised) return refuse_old("rebuild");
        if (member.is_leading(rebuild.epoch)) {
            return refuse(Refused::Reason::busy, rebuild.epoch, "rebuild");
        }
        const std::pair order_id{rebuild.epoch, rebuild.serial};
        const Answer done{control::Rebuilt{rebuild.epoch, rebuild.serial, {}, 0}, {}};
        if (member.rebuilt == order_id && !member.half_copied) return done;
        fence(member);
        member.promised = rebuild.epoch;
        member.untrimmed = false;
        member.amnesiac = broken != Broken::rebuilt_votes;
        member.half_copied = source_log.empty() || prng.one_in(3);
        ++member.run;
        member.cut(0);
        if (!member.half_copied) {
            for (const Transaction& transaction : source_log) member.append(transaction);
        }
        member.applied = member.log.size();
        if (member.half_copied) {
            return refuse(Refused::Reason::server_failed, rebuild.epoch, "rebuild");
        }
        member.rebuilt = order_id;
        return done;
    }
    std::optional<Answer> operator()(const control::Open& open) const
    {
        if (!member.is_leading(open.epoch)) {
            return refuse(Refused::Reason::not_primary, open.epoch, "open");
        }
        member.writable = true;
        return Answer{control::Opened{open.epoch}, {}};
    }
    std::optional<Answer> operator()(const control::SetAcknowledgers& set) const
    {
        if (!member.is_leading(set.epoch)) {
            return refuse(Refused::Reason::not_primary, set.epoch, "set_acknowledgers");
        }
        member.acks = set.acks;
        member.let_in.insert(order.accounts.begin(), order.accounts.end());
        return Answer{
            control::AcknowledgersSet{set.epoch, set.acks, {}, set.serial},
            member.told_position(broken)};
    }
    std::optional<Answer> operator()(const control::LockAccount& lock) const
    {
        if (!member.is_leading(lock.epoch)) {
            return refuse(Refused::Reason::not_primary, lock.epoch, "lock_account");
        }
        member.let_in.erase(lock.member);
        return Answer{
            control::AccountLocked{lock.epoch, lock.member, {}, lock.serial},
            member.told_position(broken)};
    }
    std::optional<Answer> operator()(const auto&) const { return std::nullopt; }

  private:
    [[nodiscard]] bool tells_lag() const
    {
        return member.applied < member.log.size() && broken != Broken::lag_untold;
    }
    [[nodiscard]] bool follows_already(const control::Follow& follow) const
    {
        return member.role == Member::Role::replica && member.source == follow.primary &&
               member.followed == follow.epoch && !member.refused;
    }
    /// MySQL's cannot be cut: it holds what the primary lacks, and says so.
    [[nodiscard]] bool is_errant(const control::Follow& follow) const
    {
        return member.flavor == mysql::Flavor::mysql && !follows_already(follow) &&
               broken != Broken::errant_check_skipped && !is_prefix(member.log, source_log);
    }
    void repoint(const control::Follow& follow)
    {
        fence(member);
        member.promised = follow.epoch;
        member.role = Member::Role::replica;
        member.source = follow.primary;
        member.followed = follow.epoch;
        if (broken == Broken::repoint_forgets) member.cut(member.applied);
        if (source_log.empty()) {
            member.refused = true;
            return;
        }
        // What the new primary lacks goes, by cutting or by a rebuild: then it is an amnesiac.
        std::size_t common = 0;
        while (common < member.log.size() && common < source_log.size() &&
               member.log[common] == source_log[common]) {
            ++common;
        }
        const bool cuts =
            broken != Broken::errant_check_skipped || member.flavor == mysql::Flavor::mariadb;
        if (cuts && common < member.log.size()) {
            member.cut(common);
            member.amnesiac = true;
            ++member.run;
        }
        member.applied = member.log.size();
        member.untrimmed = false;
        member.link = true;
    }
};

}  // namespace

bool is_prefix(const Log& shorter, const Log& longer)
{
    return shorter.size() <= longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
}

void Member::append(const Transaction& transaction)
{
    log.push_back(transaction);
    position = position.unite(gtid(transaction, flavor));
}

void Member::cut(std::size_t length)
{
    if (length >= log.size()) return;
    const Log kept{log.begin(), log.begin() + static_cast<std::ptrdiff_t>(length)};
    log.clear();
    position = {};
    for (const Transaction& transaction : kept) append(transaction);
    applied = std::min(applied, length);
}

Epoch Member::marker() const
{
    return position.marker(test::cluster_uuid);
}

Position Member::told_position(Broken broken) const
{
    if (broken == Broken::applied_position && role == Role::fenced) {
        Member shorter;
        shorter.flavor = flavor;
        for (std::size_t i = 0; i < applied; ++i) shorter.append(log[i]);
        return shorter.position;
    }
    if (broken != Broken::position_alone || log.empty()) return position;
    return test::mariadb_position("0-1-" + std::to_string(log.size()));
}

std::uint64_t Member::told_run(Broken broken) const
{
    return broken == Broken::runs_unnumbered ? 1 : run;
}

bool Member::is_leading(Epoch epoch) const
{
    return role == Role::primary && leads == epoch;
}

void Member::crash_server()
{
    fence(*this);
    hung = false;
    role = Role::down;
}

void Member::forget(std::size_t kept, Broken broken)
{
    cut(kept);
    amnesiac = broken != Broken::amnesiacs_vote;
}

void Member::start(Prng& prng, Broken broken)
{
    role = Role::fenced;
    ++run;
    if (untrimmed) {  // A primary's own binlog is durable.
        if (broken == Broken::tail_cut_early && !log.empty()) cut(log.size() - 1);
        return;
    }
    const std::size_t unapplied = log.size() - applied;
    const std::size_t kept = log.size() - prng.below(unapplied + 1);
    // MariaDB drops its relay log; MySQL's may be unreadable at its end, and that is seen.
    if (flavor == mysql::Flavor::mariadb || prng.one_in(3)) forget(kept, broken);
}

mysql::Observation Member::observe(Broken broken) const
{
    mysql::Observation seen;
    switch (role) {
        case Role::down: seen.phase = control::Phase::crashed; break;
        case Role::fenced: seen.phase = control::Phase::fenced; break;
        case Role::replica: seen.phase = control::Phase::replica; break;
        case Role::primary: seen.phase = control::Phase::primary; break;
    }
    seen.epoch = promised;
    seen.amnesiac = amnesiac;
    seen.answers = role != Role::down;
    seen.writable = writable;
    seen.position = told_position(broken);
    seen.marker = broken == Broken::opened_before_marker ? promised : marker();
    seen.receiver_running = link;
    if (refused && broken != Broken::lag_untold) {
        seen.receiver_state = control::ReceiverState::stopped;
        seen.receiver_error = "1236: not in the binlog";
    }
    seen.applier_running = link;
    if (source) seen.source = *source;
    seen.acknowledges = acknowledges;
    seen.acks_required = static_cast<std::uint32_t>(acks);
    seen.server_run = told_run(broken);
    seen.needs_rebuild = half_copied;
    return seen;
}

std::optional<Answer> obey(
    Member& member, const Order& order, const Log& source_log, Prng& prng, Broken broken)
{
    return std::visit(Obeying{member, order, source_log, prng, broken}, order.message);
}

}  // namespace mysos::sim
