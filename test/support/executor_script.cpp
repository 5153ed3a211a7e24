#include "test/support/executor_script.hpp"

#include "common/base/overload.hpp"

namespace mysos::executor::test {
namespace {

template <class Number>
std::string text(Number number)
{
    return std::to_string(static_cast<std::uint64_t>(number));
}

const char* text(Role role)
{
    switch (role) {
        case Role::none: return "none";
        case Role::replica: return "replica";
        case Role::candidate: return "candidate";
        case Role::primary: return "primary";
        case Role::rebuilding: return "rebuilding";
    }
    return "?";
}

const char* text(control::Refused::Reason reason)
{
    using enum control::Refused::Reason;
    switch (reason) {
        case unknown: return "unknown";
        case old_epoch: return "old_epoch";
        case lacks_position: return "lacks_position";
        case errant: return "errant";
        case server_failed: return "server_failed";
        case not_primary: return "not_primary";
        case busy: return "busy";
    }
    return "?";
}

const char* text(mesos::TaskState state)
{
    switch (state) {
        case mesos::TaskState::starting: return "starting";
        case mesos::TaskState::running: return "running";
        case mesos::TaskState::finished: return "finished";
        case mesos::TaskState::failed: return "failed";
        case mesos::TaskState::killed: return "killed";
        default: return "?";
    }
}

std::string said(const control::FromMember& message)
{
    return std::visit(
        Overload{
            [](const control::Observation&) { return std::string{}; },
            [](const control::Prepared& m) {
                return "prepared " + text(m.epoch) + " " + m.position +
                       (m.amnesiac ? " amnesiac" : "");
            },
            [](const control::Promoted& m) {
                return "promoted " + text(m.epoch) + " " + m.position;
            },
            [](const control::Followed& m) {
                return "followed " + text(m.epoch) + (m.acknowledge ? " acknowledging" : "") +
                       (m.caught_up ? " caught up" : "");
            },
            [](const control::Opened& m) { return "opened " + text(m.epoch); },
            [](const control::AcknowledgersSet& m) {
                return "acknowledgers " + text(m.epoch) + " " + text(m.acks) + " " + m.position +
                       " serial=" + text(m.serial);
            },
            [](const control::AccountLocked& m) {
                return "locked " + text(m.epoch) + " " + text(m.member) + " " + m.position +
                       " serial=" + text(m.serial);
            },
            [](const control::Refused& m) {
                return "refused " + m.order + " " + text(m.reason) + " " + text(m.epoch);
            },
            [](const control::Restarted& m) {
                return "restarted " + text(m.epoch) + " " + m.position;
            },
            [](const control::Shut& m) { return "shut " + text(m.epoch) + " " + m.position; },
            [](const control::Rebuilt& m) {
                return "rebuilt " + text(m.epoch) + " " + m.position +
                       " errant=" + text(m.errant_saved) + " serial=" + text(m.serial);
            },
        },
        message);
}

std::string line(const Effect& effect)
{
    return std::visit(
        Overload{
            [](const SendUpdate& e) {
                return "update " + text(e.update.id) + " " + text(e.update.state) + ": " +
                       e.update.message;
            },
            [](const Exit&) { return std::string{"exit"}; },
            [](const ConnectStream&) { return std::string{"connect"}; },
            [](const SendReport& e) {
                const std::string words = said(e.message);
                return words.empty() ? words : "say " + words;
            },
            [](const InspectVolume&) { return std::string{"inspect"}; },
            [](const ClaimVolume& e) {
                return "claim " + e.identity.cluster + " " + text(e.identity.member);
            },
            [](const SaveEpoch& e) {
                return "epoch " + text(e.record.epoch) + " " + text(e.record.role) +
                       (e.record.amnesiac ? " amnesiac" : "");
            },
            [](const UseToken& e) { return "use token " + e.token; },
            [](const SaveToken& e) { return "token " + e.token; },
            [](const UsePeerToken& e) { return "use peer token " + e.token; },
            [](const InstallServer&) { return std::string{"install"}; },
            [](const InitialiseData&) { return std::string{"initialise"}; },
            [](const StartServer& e) {
                return "start " + text(e.run) +
                       (e.mode == StartMode::fenced       ? " fenced"
                        : e.mode == StartMode::as_replica ? " as_replica"
                                                          : " recipient");
            },
            [](const KillServer& e) { return "kill " + text(e.run); },
            [](const StopServer& e) { return "stop " + text(e.run); },
            [](const ProbeServer& e) { return "probe " + text(e.run); },
            [](const StopReceiver&) { return std::string{"do stop_receiver"}; },
            [](const PromoteServer& e) {
                std::string words =
                    "do promote " + text(e.epoch) + " " + e.position + " acks=" + text(e.acks);
                for (const std::string& user : e.replicas) words += " for " + user;
                return words;
            },
            [](const MakeAccounts& e) { return "do accounts " + text(e.accounts.size()); },
            [](const FollowPrimary& e) {
                return "do follow " + text(e.follow.epoch) + " " + text(e.follow.primary) +
                       (e.follow.acknowledge ? " acknowledging" : "");
            },
            [](const OpenServer&) { return std::string{"do open"}; },
            [](const ChangeAcknowledgers& e) { return "do acks " + text(e.acks); },
            [](const BarAccount& e) { return "do lock " + e.user; },
            [](const SaveErrant& e) { return "do save_errant beyond " + e.order.position; },
            [](const ReplaceData& e) { return "do replace_data from " + text(e.order.donor); },
            [](const CloneData& e) { return "do clone from " + text(e.order.donor); },
            [](const FinishRebuild&) { return std::string{"do finish_rebuild"}; },
            [](const ShutServer&) { return std::string{"do shut"}; },
            [](const AbandonOperation&) { return std::string{"abandon"}; },
            [](const PushCommits&) { return std::string{"push"}; },
            [](const Report& e) { return "report " + e.text; },
            [](const Ignored& e) { return "ignored " + e.why; },
        },
        effect);
}

}  // namespace

Lines script(const Effects& effects)
{
    Lines lines;
    for (const Effect& effect : effects) {
        std::string words = line(effect);
        if (!words.empty()) lines.push_back(std::move(words));
    }
    return lines;
}

Lines Member::feed(const Input& input)
{
    observations_.clear();
    Lines lines;
    std::vector<Input> inputs{input};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Effects effects = step(state, config, inputs[i], now);
        for (const Effect& effect : effects) {
            if (const auto* save = std::get_if<SaveEpoch>(&effect)) {
                if (disk_full) {
                    inputs.emplace_back(EpochNotSaved{save->record, "no space left"});
                } else {
                    inputs.emplace_back(EpochSaved{save->record});
                }
            }
            const auto* report = std::get_if<SendReport>(&effect);
            if (report == nullptr) continue;
            const auto* seen = std::get_if<control::Observation>(&report->message);
            if (seen != nullptr) observations_.push_back(*seen);
        }
        for (std::string& words : script(effects)) lines.push_back(std::move(words));
    }
    return lines;
}

Lines Member::wait(Duration duration)
{
    Lines lines;
    std::vector<control::Observation> observations;
    const TimePoint end = now + duration;
    for (auto next = next_deadline(state, config); next && *next <= end;
         next = next_deadline(state, config)) {
        now = std::max(now, *next);
        for (std::string& words : feed(DeadlinePassed{})) lines.push_back(std::move(words));
        observations.insert(observations.end(), observations_.begin(), observations_.end());
    }
    now = end;
    observations_ = std::move(observations);
    return lines;
}

wire::TaskData task_data(const std::string& flavor)
{
    wire::TaskData data;
    data.cluster = "demo";
    data.cluster_uuid = "uuid-demo";
    data.server_id = 1;
    data.flavor = flavor;
    return data;
}

control::Follow follow(Epoch epoch, MemberId primary, bool acknowledge)
{
    return {
        .epoch = epoch,
        .primary = primary,
        .host = "10.0.0.2",
        .port = 3306,
        .account = {"repl_1", "secret"},
        .acknowledge = acknowledge,
        .position = ""};
}

void Member::launch(const std::string& flavor)
{
    feed(Subscribed{});
    feed(Launched{{"t1"}, task_data(flavor)});
}

void Member::connect()
{
    feed(StreamOpened{});
}

void Member::fence(const std::string& flavor)
{
    launch(flavor);
    connect();
    Volume volume;
    volume.boot_id = "boot";
    feed(VolumeInspected{volume});
    feed(Installed{"10.11"});
    feed(DataInitialised{});
    feed(Probed{run(), {}});
}

void Member::replicate(Epoch epoch, MemberId primary, bool acknowledge)
{
    order(follow(epoch, primary, acknowledge));
    feed(PrimaryFollowed{op()});
}

void Member::promote(Epoch epoch, std::uint32_t acks, bool open)
{
    order(control::Promote{epoch, "0-1-1", acks, {}});
    feed(ServerPromoted{op(), "0-1-2"});
    feed(AccountsMade{op()});
    if (!open) return;
    order(control::Open{epoch});
    feed(ServerOpened{op()});
}

}  // namespace mysos::executor::test
