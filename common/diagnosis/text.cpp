#include "common/diagnosis/situations.hpp"

#include <algorithm>
#include <array>

namespace mysos::diagnosis {
namespace {

struct Words {
    Code code;
    const char* name;
    const char* meaning;
};

constexpr std::array words{
    Words{
        Code::no_quorum,
        "no_quorum",
        "The election lacks answers, or none of those that it has holds all that was "
        "acknowledged. mysos promotes nobody and keeps asking; an operator may force it."},
    Words{
        Code::election_under_way,
        "election_under_way",
        "Members are being asked what they hold. The one that holds most is promoted and "
        "opened when enough others hold its marker."},
    Words{
        Code::no_primary_yet,
        "no_primary_yet",
        "Clients were never let in. mysos opens the first primary when a majority of the "
        "members asked for acknowledges."},
    Words{
        Code::no_writable_primary,
        "no_writable_primary",
        "No member takes writes. What mysos does about it stands with the primary's own "
        "situation."},
    Words{
        Code::several_writable_members,
        "several_writable_members",
        "More than one server lets clients write. Only the primary's commits can be "
        "acknowledged; mysos shuts the others."},
    Words{
        Code::primary_without_replicas,
        "primary_without_replicas",
        "No other member may acknowledge yet, so that a loss of the primary is a loss of its "
        "data. mysos takes in each member as soon as it has caught up."},
    Words{
        Code::dead_primary_without_replicas,
        "dead_primary_without_replicas",
        "The only member's server has ended or is shut out. mysos starts it again and opens "
        "it when it holds what it had acknowledged."},
    Words{
        Code::dead_primary_and_replicas,
        "dead_primary_and_replicas",
        "The servers of the primary and of all replicas have ended. mysos elects as soon as "
        "enough members or the last primary itself are back."},
    Words{
        Code::dead_primary_and_some_replicas,
        "dead_primary_and_some_replicas",
        "The servers of the primary and of some replicas have ended. mysos elects among the "
        "others if they are enough, else waits for those that are missing."},
    Words{
        Code::dead_primary,
        "dead_primary",
        "The primary's server or task has ended, or it came back shut out. mysos elects "
        "another one among the replicas at once."},
    Words{
        Code::unreachable_primary_with_broken_replicas,
        "unreachable_primary_with_broken_replicas",
        "The primary is silent to the scheduler and to its replicas, and a replica cannot "
        "apply what it received. mysos elects; the broken replica cannot be promoted before "
        "it is rebuilt."},
    Words{
        Code::unreachable_primary_with_lagging_replicas,
        "unreachable_primary_with_lagging_replicas",
        "The primary is silent to the scheduler and to its replicas, and a replica has much "
        "left to apply. mysos elects; who is promoted applies everything first, which takes "
        "as long as the lag says."},
    Words{
        Code::unreachable_primary,
        "unreachable_primary",
        "The primary is silent to the scheduler and to so many replicas that it can commit "
        "nothing. mysos elects another one."},
    Words{
        Code::scheduler_isolated,
        "scheduler_isolated",
        "The primary is silent to the scheduler, but replicas receive from it. mysos does "
        "nothing: clients are served."},
    Words{
        Code::silent_primary,
        "silent_primary",
        "The primary is silent to the scheduler, and the replicas do not tell enough to know "
        "whether it serves. mysos waits for their word."},
    Words{
        Code::hung_primary,
        "hung_primary",
        "The primary's executor lives, but its server does not answer. mysos elects another "
        "one if enough replicas can vote; otherwise it starts the server anew only when it "
        "has hung for a minute."},
    Words{
        Code::primary_does_not_answer,
        "primary_does_not_answer",
        "The primary's server has not answered its executor's last probe, or refuses it. "
        "mysos waits for the hang timeout."},
    Words{
        Code::locked_semi_sync_primary,
        "locked_semi_sync_primary",
        "Commits wait for acknowledgements of replicas that have lost the primary. mysos "
        "elects one of them if they can do without it; else writes wait until a replica is "
        "back."},
    Words{
        Code::locked_semi_sync_primary_hypothesis,
        "locked_semi_sync_primary_hypothesis",
        "Commits wait, and fewer replicas receive than must acknowledge. mysos waits for the "
        "cut timeout before it acts."},
    Words{
        Code::too_few_acknowledgers,
        "too_few_acknowledgers",
        "Fewer replicas receive than must acknowledge a commit: the next write will wait. "
        "mysos brings the replicas back to follow the primary."},
    Words{
        Code::read_only_primary,
        "read_only_primary",
        "The primary answers and leads, but its server is read-only. mysos opens it again."},
    Words{
        Code::all_replicas_dead,
        "all_replicas_dead",
        "The servers of all replicas have ended. Their executors start them again, and mysos "
        "has them follow the primary; writes wait meanwhile."},
    Words{
        Code::all_replicas_not_replicating,
        "all_replicas_not_replicating",
        "All replicas run, and none receives from the primary. mysos repeats its order to "
        "follow; writes wait meanwhile."},
    Words{
        Code::all_replicas_not_replicating_or_dead,
        "all_replicas_not_replicating_or_dead",
        "No replica receives from the primary: the servers of some have ended, the others "
        "run without. mysos repeats its order to follow; writes wait meanwhile."},
    Words{
        Code::weak_primary,
        "weak_primary",
        "The primary's server waits for fewer acknowledgements than the record says, so that "
        "a failover could lose a commit. Somebody has changed its semi-sync settings; mysos "
        "sets them again with its next order."},
    Words{
        Code::circular_replication,
        "circular_replication",
        "These members follow each other in a circle. mysos has each follow the primary, and "
        "the primary nobody."},
    Words{
        Code::errant_replica,
        "errant_replica",
        "This member holds transactions that the primary lacks: nobody acknowledged them, or they "
        "were written to it directly. Where it cannot follow with them, mysos saves them and "
        "rebuilds it; else it is only reported."},
    Words{
        Code::rebuilding_member,
        "rebuilding_member",
        "This member's data is being replaced by a copy of another member's, or waits for its "
        "turn. "
        "It comes back without a vote until it has caught up."},
    Words{
        Code::writable_replica,
        "writable_replica",
        "This replica's server lets clients write, which can make it errant. Its executor "
        "shuts it."},
    Words{
        Code::wrong_source,
        "wrong_source",
        "This replica follows another server than the primary. Its executor points it back."},
    Words{
        Code::broken_replica,
        "broken_replica",
        "This replica's applier has stopped with an error. What it received is safe and counts, "
        "but it lags more and more. If that lasts for half a minute, mysos rebuilds it from "
        "another member's data."},
    Words{
        Code::replica_cannot_connect,
        "replica_cannot_connect",
        "This replica tries to reach its source, in vain. It goes on trying each second."},
    Words{
        Code::replication_stopped,
        "replication_stopped",
        "A replication thread of this replica is stopped without an error, as by hand. Its "
        "executor starts it again."},
    Words{
        Code::lagging_replica,
        "lagging_replica",
        "This replica applies much later than its primary commits. Readers see old data; "
        "what it received counts all the same."},
    Words{
        Code::delayed_replica,
        "delayed_replica",
        "This replica stays behind on purpose. It is promoted only after it has applied all "
        "that it received."},
    Words{
        Code::hung_replica,
        "hung_replica",
        "This replica's executor lives, but its server does not answer. It may still "
        "acknowledge; mysos waits for it."},
    Words{
        Code::dead_replica,
        "dead_replica",
        "This replica's server or task has ended, or it is starting. Its executor starts the "
        "server again; without a task mysos launches one on its volume."},
    Words{
        Code::silent_member,
        "silent_member",
        "This member's executor is not heard of. mysos waits for it; its server may well "
        "replicate."},
    Words{
        Code::idle_member,
        "idle_member",
        "This member answers and follows nobody. mysos orders it to follow the primary."},
    Words{
        Code::unacknowledging_replica,
        "unacknowledging_replica",
        "This replica receives, but does not acknowledge, though it may. mysos repeats its "
        "order to follow."},
    Words{
        Code::acknowledges_outside_electorate,
        "acknowledges_outside_electorate",
        "This replica acknowledges commits though it has no vote. mysos orders it to stop "
        "before it takes it in."},
    Words{
        Code::outside_electorate,
        "outside_electorate",
        "This member has no vote yet, and commits do not wait for it. mysos takes it in when "
        "it has caught up."},
    Words{
        Code::amnesiac_member,
        "amnesiac_member",
        "This member may have forgotten what it acknowledged, as after a restart. It has no "
        "vote until it has caught up with its primary."},
    Words{
        Code::quarantined_member,
        "quarantined_member",
        "The epoch on this member's volume is missing or damaged. It has no vote until it "
        "has caught up with a primary."},
    Words{
        Code::member_of_newer_epoch,
        "member_of_newer_epoch",
        "This member knows a later epoch than the scheduler's record: state was lost or an "
        "older one restored. mysos begins its next election above it."},
    Words{
        Code::disk_full,
        "disk_full",
        "There is next to no room left on this member's volume. Servers stop writing when it "
        "is full: make room or give the member a larger volume."},
};

const Words& words_for(Code code)
{
    return *std::ranges::find(words, code, &Words::code);
}

}  // namespace

const char* to_text(Code code)
{
    return words_for(code).name;
}

const char* meaning(Code code)
{
    return words_for(code).meaning;
}

}  // namespace mysos::diagnosis
