#include "common/cluster/stepping.hpp"
#include "common/diagnosis/diagnosis.hpp"

// What ails the cluster, from what its members say.
namespace mysos::cluster {
namespace {

using diagnosis::Verdict;

diagnosis::View::Election election_of(const State& state)
{
    using Election = diagnosis::View::Election;
    if (std::holds_alternative<election::Idle>(state.election.phase)) return Election::none;
    return state.stuck ? Election::stuck : Election::under_way;
}

bool is_errant(const State& state, MemberId id)
{
    if (!state.electorate.leadership) return false;
    const auto& followers = state.electorate.leadership->followers;
    const auto found = followers.find(id);
    return found != followers.end() && found->second.standing == electorate::Standing::errant;
}

diagnosis::View view(const State& state)
{
    const Record& record = state.record;
    diagnosis::View result;
    result.epoch = record.epoch;
    result.primary = record.primary;
    result.electorate = {record.electorate, record.acks};
    result.election = election_of(state);
    result.ever_opened = record.ever_opened;
    result.may_go_alone = goes_alone(record);
    for (const auto& [id, seen] : state.members) {
        const Member& stored = record.members.at(id);
        diagnosis::Member& member = result.members[id];
        member.connected = seen.stream.has_value();
        member.task_ended = !stored.launched;
        member.heard_at = seen.heard_at;
        if (seen.understood) member.observation = &*seen.understood;
        member.host = stored.ip;
        member.port = stored.port;
        member.refuses_as_errant = is_errant(state, id);
    }
    return result;
}

}  // namespace

Verdict diagnose(Stepping& step)
{
    State& state = step.state;
    const diagnosis::Config& config = step.config.diagnosis;
    const diagnosis::View now_seen = view(state);
    diagnosis::remember(state.past, now_seen, config, step.now);
    state.look_again_at = diagnosis::next_look(now_seen, state.past, config, step.now);
    const Verdict verdict = diagnosis::diagnose(now_seen, state.past, config, step.now);
    const bool is_news = state.verdict != verdict && verdict != Verdict::electing &&
                         verdict != Verdict::no_quorum;  // The election says that itself.
    if (is_news) {
        step.report(
            verdict == Verdict::healthy ? Report::Level::info : Report::Level::warning,
            MemberId{},
            diagnosis::to_text(verdict));
    }
    state.verdict = verdict;
    return verdict;
}

std::vector<diagnosis::Situation> situations(
    const State& state, const diagnosis::Config& config, TimePoint now)
{
    return diagnosis::situations(view(state), state.past, config, now);
}

}  // namespace mysos::cluster
