#include "test/sim/fake_member.hpp"

#include "common/base/overload.hpp"

namespace mysos::sim {
namespace {

using control::Phase;

std::uint64_t sequence_of(const std::string& position)
{
    if (position.empty()) return 0;
    return std::stoull(position.substr(position.rfind('-') + 1));
}

}  // namespace

std::string FakeMember::position() const
{
    if (disk.sequence == 0) return {};
    return "0-1-" + std::to_string(disk.sequence);
}

control::Observation FakeMember::observe() const
{
    control::Observation result;
    result.phase = phase;
    result.flavor = control::Flavor::mariadb;
    result.epoch = Epoch{disk.epoch};
    result.amnesiac = amnesiac;
    result.answers = phase == Phase::fenced || phase == Phase::replica || phase == Phase::primary;
    result.writable = writable;
    result.position = position();
    result.marker = Epoch{disk.sequence >> mysql::marker_shift};
    result.source = phase == Phase::replica ? source : MemberId{};
    result.receiver_running = phase == Phase::replica;
    result.applier_running = phase == Phase::replica;
    result.acknowledges = acknowledges;
    result.acks_required = acks;
    result.server_run = run;
    result.empty = disk.sequence == 0;
    result.leaving = leaving > 0;
    return result;
}

control::Hello FakeMember::hello() const
{
    return {1, task.text, cluster, id, "sim", observe()};
}

void FakeMember::crash()
{
    if (phase == Phase::replica) amnesiac = true;  // MariaDB drops its relay log.
    ++run;
    phase = Phase::crashed;
    writable = false;
    acknowledges = false;
    source = MemberId{};
}

std::optional<control::FromMember> FakeMember::obey(const control::ToMember& order)
{
    using Answer = std::optional<control::FromMember>;
    using Reason = control::Refused::Reason;
    const auto refuse = [this](Reason reason, const char* what) -> Answer {
        return control::Refused{reason, Epoch{disk.epoch}, "refused", what};
    };
    const auto is_old = [this](Epoch epoch) { return number(epoch) < disk.epoch; };
    const bool is_up = phase != Phase::start;
    return std::visit(
        Overload{
            [&](const control::Welcome&) -> Answer {
                disk.permanent_token = true;
                return std::nullopt;
            },
            [&](const control::Prepare& prepare) -> Answer {
                if (is_old(prepare.epoch)) return refuse(Reason::old_epoch, "prepare");
                if (!is_up) return refuse(Reason::busy, "prepare");
                disk.epoch = number(prepare.epoch);
                phase = Phase::fenced;
                writable = false;
                acknowledges = false;
                source = MemberId{};
                return control::Prepared{
                    prepare.epoch,
                    position(),
                    Epoch{disk.sequence >> mysql::marker_shift},
                    amnesiac};
            },
            [&](const control::Promote& promote) -> Answer {
                if (is_old(promote.epoch)) return refuse(Reason::old_epoch, "promote");
                if (!is_up || phase == Phase::crashed) return refuse(Reason::busy, "promote");
                if (sequence_of(promote.position) > disk.sequence) {
                    return refuse(Reason::lacks_position, "promote");
                }
                if (phase == Phase::primary && disk.epoch == number(promote.epoch)) {
                    return control::Promoted{promote.epoch, position()};
                }
                disk.epoch = number(promote.epoch);
                disk.sequence = disk.epoch << mysql::marker_shift;
                disk.was_primary = true;
                phase = Phase::primary;
                acks = promote.acks;
                source = MemberId{};
                return control::Promoted{promote.epoch, position()};
            },
            [&](const control::Follow& follow) -> Answer {
                if (is_old(follow.epoch)) return refuse(Reason::old_epoch, "follow");
                if (!is_up) return refuse(Reason::busy, "follow");
                if (phase == Phase::crashed || disk.was_primary) amnesiac = true;
                disk.epoch = number(follow.epoch);
                disk.was_primary = false;
                const bool caught_up = follow.caught_up && follow.server_run == run;
                if (caught_up) amnesiac = false;
                phase = Phase::replica;
                writable = false;
                source = follow.primary;
                source_ip = follow.host;
                source_port = follow.port;
                acknowledges = follow.acknowledge;
                return control::Followed{
                    follow.epoch, acknowledges, follow.serial, caught_up, follow.server_run};
            },
            [&](const control::Open& open) -> Answer {
                if (is_old(open.epoch)) return refuse(Reason::old_epoch, "open");
                if (phase != Phase::primary) return refuse(Reason::not_primary, "open");
                writable = true;
                return control::Opened{open.epoch};
            },
            [&](const control::SetAcknowledgers& set) -> Answer {
                if (phase != Phase::primary) return refuse(Reason::not_primary, "acknowledgers");
                acks = set.acks;
                return control::AcknowledgersSet{set.epoch, set.acks, position(), set.serial};
            },
            [&](const control::LockAccount& lock) -> Answer {
                return control::AccountLocked{lock.epoch, lock.member, position(), lock.serial};
            },
            [](const control::Heartbeat&) -> Answer { return std::nullopt; },
            [&](const control::Stop&) -> Answer {
                released = true;
                return std::nullopt;
            },
            [](const control::Restart&) -> Answer { return std::nullopt; },
            [&](const control::ShutOut& shut_out) -> Answer {
                if (phase != Phase::primary) return refuse(Reason::not_primary, "shut_out");
                writable = false;
                return control::Shut{shut_out.epoch, position(), shut_out.serial};
            },
            [&](const control::Rebuild& rebuild) -> Answer {
                if (is_old(rebuild.epoch)) return refuse(Reason::old_epoch, "rebuild");
                if (!is_up) return refuse(Reason::busy, "rebuild");
                ++run;
                disk.epoch = number(rebuild.epoch);
                disk.sequence = sequence_of(rebuild.position);
                disk.was_primary = false;
                amnesiac = true;
                acknowledges = false;
                writable = false;
                source = MemberId{};
                phase = Phase::fenced;
                return control::Rebuilt{rebuild.epoch, rebuild.serial, position(), 0};
            }},
        order);
}

}  // namespace mysos::sim
