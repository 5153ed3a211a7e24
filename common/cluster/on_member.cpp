#include "common/cluster/names.hpp"
#include "common/cluster/stepping.hpp"
#include "common/electorate/electorate.hpp"
#include "common/mysql/observation.hpp"

#include <algorithm>

namespace mysos::cluster {
namespace {

constexpr std::uint32_t protocol_version = 1;

std::optional<MemberId> owner(const State& state, StreamId stream)
{
    const auto found = std::ranges::find_if(
        state.members, [stream](const auto& entry) { return entry.second.stream == stream; });
    if (found == state.members.end()) return std::nullopt;
    return found->first;
}

/// Whether a task that we hold for ended may live after all: nobody saw it end.
bool may_live(const MemberState& seen)
{
    using mesos::TaskState;
    return seen.task == TaskState::lost || seen.task == TaskState::gone ||
           seen.task == TaskState::gone_by_operator || seen.task == TaskState::dropped ||
           seen.task == TaskState::unknown;
}

std::optional<RefuseStream::Why> refusal(Stepping& step, const MemberConnected& in)
{
    using Why = RefuseStream::Why;
    if (in.hello.protocol_version != protocol_version) return Why::other_version;
    const auto member = step.record().members.find(in.hello.member);
    if (member == step.record().members.end()) return Why::unknown_task;
    if (member->second.task_id.text != in.hello.task_id) return Why::unknown_task;
    if (!member->second.launched && !may_live(step.seen(in.hello.member))) return Why::unknown_task;
    if (in.token == Token::wrong) return Why::wrong_token;
    if (in.token == Token::launch && member->second.token_exchanged) return Why::token_used_up;
    return std::nullopt;
}

mysql::Position position(Stepping& step, MemberId id, const std::string& text)
{
    const Result<mysql::Position> parsed = mysql::Position::parse(flavor(step.record()), text);
    if (parsed.has_value()) return *parsed;
    step.report(Report::Level::error, id, "told a position that cannot be read: " + text);
    return {};
}

/// What is surely acknowledged, from what the primary and the replicas that follow it hold.
void raise_high_water(Stepping& step)
{
    const Record& record = step.record();
    const auto& leadership = step.state.electorate.leadership;
    if (!leadership) return;
    const auto primary = step.state.members.find(leadership->primary);
    if (primary == step.state.members.end() || !primary->second.understood ||
        primary->second.understood->epoch != leadership->epoch) {
        return;
    }
    std::map<MemberId, mysql::Position> replicas;
    for (const MemberId id : record.electorate) {
        const auto& seen = step.state.members.at(id).understood;
        if (id == leadership->primary || !seen || seen->amnesiac) continue;
        if (seen->epoch != leadership->epoch || seen->source != leadership->primary) continue;
        replicas.emplace(id, seen->position);
    }
    step.state.high_water = electorate::high_water(
        step.state.high_water, primary->second.understood->position, replicas, record.acks);
}

/// What it received cannot be applied, or its primary cannot give what it lacks: if orders to
/// follow do not help for a while, a copy of another's data does.
bool is_broken(const mysql::Observation& seen)
{
    using control::Phase;
    if (!seen.answers || (seen.phase != Phase::replica && seen.phase != Phase::fenced))
        return false;
    const bool is_refused =
        seen.receiver_error.value_or("").starts_with("1236:") && !seen.receiver_running;
    return mysql::cannot_apply(seen) || is_refused;
}

/// Each order to follow starts it again for a moment: only what replicates is well again.
bool replicates(const mysql::Observation& seen)
{
    return seen.phase == control::Phase::replica && seen.receiver_running && seen.applier_running;
}

void note_broken(Stepping& step, MemberId id)
{
    MemberState& seen = step.seen(id);
    const mysql::Observation& now = *seen.understood;
    const bool broken = is_broken(now);
    const bool counts = step.state.electorate.leadership && id != step.record().primary;
    if (!counts || (!broken && (replicates(now) || now.phase == control::Phase::clone))) {
        seen.broken_since.reset();
        return;
    }
    if (!broken) return;
    if (!seen.broken_since) seen.broken_since = step.now;
    if (step.now - *seen.broken_since >= step.config.broken_max) {
        seen.understood->needs_rebuild = true;
    }
}

void observe(Stepping& step, MemberId id, const control::Observation& report)
{
    Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    const bool is_news = !seen.observation || seen.observation->phase != report.phase ||
                         seen.observation->message != report.message;
    const bool begins_to_leave = report.leaving && !(seen.observation && seen.observation->leaving);
    if (begins_to_leave) note_hand_over(step, true);  // What failed before had more time.
    seen.observation = report;
    seen.heard_at = step.now;
    if (is_news) {
        std::string text = to_text(report.phase);
        if (!report.message.empty()) text += ": " + report.message;
        const bool is_bad =
            report.phase == control::Phase::crashed || report.phase == control::Phase::failed;
        step.report(is_bad ? Report::Level::warning : Report::Level::info, id, text);
    }
    if (report.answers && !member.volume_created) {
        member.volume_created = true;
        step.changed();
    }
    if (seen.running_since && step.now - *seen.running_since >= step.config.stable_after &&
        member.failures > 0) {
        member.failures = 0;
        step.changed();
    }

    const Result<mysql::Observation> understood =
        mysql::understand(report, flavor(step.record()), uuid(step.record()));
    if (understood.has_error()) {
        const bool is_new = seen.understood.has_value();
        seen.understood.reset();
        if (is_new) {
            step.report(
                Report::Level::error,
                id,
                "told a position that cannot be read: " + report.position);
        }
        return;
    }
    seen.understood = *understood;
    note_broken(step, id);
    if (member.to_copy) seen.understood->needs_rebuild = true;
    if (step.record().deleting) return;
    tell_election(step, election::Observed{id, *seen.understood});
    tell_electorate(step, electorate::Observed{id, *seen.understood});
    raise_high_water(step);
}

// What a member answers.

void hear(Stepping& step, MemberId id, const control::Observation& message)
{
    observe(step, id, message);
}

/// An answer is newer than the last observation, and may be all that comes before we decide.
void correct(MemberState& seen, control::Phase phase, Epoch epoch, bool writable)
{
    if (!seen.understood) return;
    seen.understood->phase = phase;
    seen.understood->epoch = epoch;
    seen.understood->writable = writable;
}

void hear(Stepping& step, MemberId id, const control::Prepared& message)
{
    correct(step.seen(id), control::Phase::fenced, message.epoch, false);
    const mysql::Position held = position(step, id, message.position);
    const auto& seen = step.seen(id).observation;
    const bool is_amnesiac = message.amnesiac || (seen && seen->epoch_unreadable);
    const char* const lags = message.lags ? ", not all of it applied" : "";
    step.report(Report::Level::info, id, "is prepared: holds " + held.to_text() + lags);
    tell_election(
        step,
        election::Prepared{
            message.epoch, id, held, held.marker(uuid(step.record())), is_amnesiac, message.lags});
}

void hear(Stepping& step, MemberId id, const control::Promoted& message)
{
    correct(step.seen(id), control::Phase::primary, message.epoch, false);
    tell_election(step, election::Promoted{message.epoch, id});
}

void hear(Stepping& step, MemberId id, const control::Followed& message)
{
    tell_election(step, election::Followed{message.epoch, id});
    tell_electorate(
        step,
        electorate::Followed{
            message.epoch,
            id,
            message.acknowledge,
            message.serial,
            message.caught_up,
            message.server_run});
}

void hear(Stepping& step, MemberId id, const control::Opened& message)
{
    correct(step.seen(id), control::Phase::primary, message.epoch, true);
    tell_election(step, election::Opened{message.epoch, id});
}

void hear(Stepping& step, MemberId id, const control::AcknowledgersSet& message)
{
    tell_electorate(
        step,
        electorate::AcknowledgersSet{
            message.epoch, message.serial, position(step, id, message.position)});
}

void hear(Stepping& step, MemberId id, const control::AccountLocked& message)
{
    tell_electorate(
        step,
        electorate::AccountLocked{
            message.epoch, message.serial, position(step, id, message.position)});
}

void hear(Stepping& step, MemberId id, const control::Refused& message)
{
    if (message.reason != control::Refused::Reason::busy) {
        step.report(
            Report::Level::warning, id, "refused " + message.order + ": " + message.message);
    }
    using Order = election::Refused::Order;
    std::optional<Order> order;
    if (message.order == "prepare") order = Order::prepare;
    if (message.order == "promote") order = Order::promote;
    if (message.order == "follow") order = Order::follow;
    if (message.order == "open") order = Order::open;
    if (message.order == "shut_out") heard_not_shut(step, message.message);
    if (message.order == "rebuild" && message.reason != control::Refused::Reason::busy) {
        tell_electorate(step, electorate::RebuildRefused{message.epoch, id});
    }
    if (!order) return;
    tell_election(step, election::Refused{message.epoch, id, *order, message.reason});
    if (order == Order::follow && message.reason == control::Refused::Reason::errant) {
        tell_electorate(step, electorate::Errant{message.epoch, id});
    }
}

void hear(Stepping& step, MemberId id, const control::Restarted&)
{
    step.report(Report::Level::info, id, "its server was started anew");
}

void hear(Stepping& step, MemberId id, const control::Shut& message)
{
    heard_shut(step, message, position(step, id, message.position));
}

void hear(Stepping& step, MemberId id, const control::Rebuilt& message)
{
    std::string text = "was rebuilt from another member";
    if (message.errant_saved > 0) {
        text += "; saved on its volume before: " + std::to_string(message.errant_saved) +
                " transactions that nobody acknowledged";
    }
    step.report(Report::Level::info, id, std::move(text));
    if (step.member(id).to_copy) {
        step.member(id).to_copy = false;
        step.changed();
    }
    tell_election(step, election::Rebuilt{message.epoch, id});
    tell_electorate(step, electorate::Rebuilt{message.epoch, id, message.serial});
}

}  // namespace

void on(Stepping& step, const MemberConnected& in)
{
    if (const std::optional<RefuseStream::Why> why = refusal(step, in)) {
        step.act(RefuseStream{in.stream, *why});
        return;
    }
    const MemberId id = in.hello.member;
    Member& member = step.member(id);
    MemberState& seen = step.seen(id);
    if (in.token == Token::permanent && !member.token_exchanged) {
        member.token_exchanged = true;
        step.changed();
    }
    if (!member.launched) {
        member.launched = true;
        step.changed();
        step.act(Reconcile{{member.task_id, member.agent_id}});
    }
    if (seen.stream && *seen.stream != in.stream) step.act(CloseStream{*seen.stream});
    seen.stream = in.stream;
    seen.released = false;
    step.act(AcceptStream{
        in.stream,
        id,
        member.task_id,
        control::Welcome{{}, step.record().uuid, {}, step.record().epoch, {}}});
    observe(step, id, in.hello.observation);
    if (!step.record().deleting) tell_election(step, election::Appeared{id});
    lead(step);
}

void on(Stepping& step, const MemberSaid& in)
{
    const std::optional<MemberId> id = owner(step.state, in.stream);
    if (!id) {
        step.ignore("word on a stream that is not the current one");
        return;
    }
    step.seen(*id).heard_at = step.now;
    if (step.record().deleting && !std::holds_alternative<control::Observation>(in.message)) {
        step.ignore("the cluster is being deleted");
        return;
    }
    std::visit([&step, &id](const auto& message) { hear(step, *id, message); }, in.message);
    if (step.record().deleting) {
        serve(step);
    } else {
        lead(step);
    }
}

void on(Stepping& step, const MemberDisconnected& in)
{
    const std::optional<MemberId> id = owner(step.state, in.stream);
    if (!id) {
        step.ignore("a stream ended that was not the current one");
        return;
    }
    step.seen(*id).stream.reset();
    step.report(Report::Level::warning, *id, "its control stream was lost");
    lead(step);
}

}  // namespace mysos::cluster
