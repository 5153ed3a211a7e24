#include "common/wire/control.hpp"
#include "common/wire/errc.hpp"
#include "mysos/control.pb.h"

#include <catch2/catch.hpp>

#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace mysos::wire;
using control::AccountSpec;

namespace {

control::Observation everything_observed()
{
    return {
        .phase = control::Phase::replica,
        .message = "follows 1",
        .progress_percent = 40,
        .flavor = control::Flavor::mysql,
        .server_version = "9.7.0",
        .epoch = Epoch{7},
        .epoch_unreadable = true,
        .amnesiac = true,
        .answers = true,
        .read_only = true,
        .writable = true,
        .position = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
        .applied = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-4",
        .marker = Epoch{6},
        .receiver_running = true,
        .applier_running = true,
        .replication_error = "1236",
        .source = MemberId{1},
        .semi_sync_clients = 2,
        .commits_waiting = 3,
        .commits_acknowledged = 1ULL << 33U,
        .packet_age_ms = 250,
        .lag_seconds = 0,
        .disk_free_bytes = 1ULL << 40U,
        .acknowledges = true,
        .acks_required = 1,
        .boot_id = "b",
        .server_uuid = "u",
        .empty = true,
        .server_run = 1ULL << 60U,
        .errant_transactions = 1ULL << 34U,
        .needs_rebuild = true,
        .leaving = true,
        .unanswered_ms = 3001,
        .receiver_state = control::ReceiverState::connecting,
        .receiver_error = "2003: cannot connect",
        .applier_error = "",
        .source_host = "10.0.0.1",
        .source_port = 31001,
        .delay_seconds = 0,
        .super_read_only = false,
        .disk_total_bytes = 1ULL << 41U};
}

const std::vector<AccountSpec> accounts{
    {.kind = AccountSpec::Kind::admin, .account = {.user = "admin", .password = "a"}},
    {.kind = AccountSpec::Kind::application, .account = {.user = "app", .password = "b"}},
    {.kind = AccountSpec::Kind::monitor, .account = {.user = "monitor", .password = "c"}},
    {.kind = AccountSpec::Kind::clone, .account = {.user = "clone", .password = "d"}},
    {.kind = AccountSpec::Kind::replication, .account = {.user = "repl_2", .password = "e"}},
};

}  // namespace

TEST_CASE("control messages: what a member says survives the wire", "[wire]")
{
    using Reason = control::Refused::Reason;
    std::vector<control::FromMember> messages{
        everything_observed(),
        control::Observation{},
        control::Prepared{
            .epoch = Epoch{7},
            .position = "0-1-5",
            .marker = Epoch{6},
            .amnesiac = true,
            .lags = true},
        control::Promoted{.epoch = Epoch{7}, .position = "0-1-6"},
        control::Followed{
            .epoch = Epoch{7},
            .acknowledge = true,
            .serial = 8,
            .caught_up = true,
            .server_run = 1ULL << 60U},
        control::Opened{.epoch = Epoch{7}},
        control::AcknowledgersSet{.epoch = Epoch{7}, .acks = 2, .position = "0-1-7", .serial = 9},
        control::Restarted{.epoch = Epoch{7}, .position = "0-1-5"},
        control::AccountLocked{
            .epoch = Epoch{7}, .member = MemberId{3}, .position = "0-1-5", .serial = 10},
        control::Shut{.epoch = Epoch{7}, .position = "0-1-5", .serial = 15},
        control::Rebuilt{.epoch = Epoch{7}, .serial = 14, .position = "0-1-5", .errant_saved = 3},
    };
    for (const Reason reason :
         {Reason::unknown,
          Reason::old_epoch,
          Reason::lacks_position,
          Reason::errant,
          Reason::server_failed,
          Reason::not_primary,
          Reason::busy}) {
        messages.emplace_back(control::Refused{
            .reason = reason, .epoch = Epoch{8}, .message = "why", .order = "promote"});
    }
    for (int phase = 0; phase <= static_cast<int>(control::Phase::failed); ++phase) {
        control::Observation observation;
        observation.phase = static_cast<control::Phase>(phase);
        messages.emplace_back(observation);
    }
    for (int state = 0; state <= static_cast<int>(control::ReceiverState::running); ++state) {
        control::Observation observation;
        observation.receiver_state = static_cast<control::ReceiverState>(state);
        messages.emplace_back(observation);
    }
    for (const auto& message : messages) {
        INFO("alternative " << message.index());
        const auto decoded = decode_from_member(encode(message));
        REQUIRE(decoded.has_value());
        CHECK(*decoded == message);
    }
}

TEST_CASE("control messages: orders survive the wire", "[wire]")
{
    const std::vector<control::ToMember> orders{
        control::Welcome{
            .token = "t",
            .cluster_uuid = "u",
            .admin = {.user = "admin", .password = "p"},
            .epoch = Epoch{3},
            .peer_token = "among peers"},
        control::Heartbeat{},
        control::Prepare{.epoch = Epoch{4}},
        control::Promote{.epoch = Epoch{4}, .position = "0-1-5", .acks = 1, .accounts = accounts},
        control::Follow{
            .epoch = Epoch{4},
            .primary = MemberId{2},
            .host = "10.0.0.2",
            .port = 65535,
            .account = {.user = "repl_3", .password = "p"},
            .acknowledge = true,
            .serial = 13,
            .caught_up = true,
            .server_run = 1ULL << 60U,
            .position = "0-1-5"},
        control::Open{.epoch = Epoch{4}},
        control::SetAcknowledgers{.epoch = Epoch{4}, .acks = 2, .accounts = accounts, .serial = 11},
        control::LockAccount{
            .epoch = Epoch{4}, .user = "repl_3", .member = MemberId{3}, .serial = 12},
        control::Stop{},
        control::Restart{.epoch = Epoch{4}},
        control::ShutOut{.epoch = Epoch{4}, .serial = 16},
        control::Rebuild{
            .epoch = Epoch{4},
            .primary = MemberId{2},
            .donor = MemberId{3},
            .donor_host = "10.0.0.3",
            .donor_port = 65535,
            .donor_peer_port = 65534,
            .account = {.user = "clone", .password = "p"},
            .position = "0-1-5",
            .serial = 15},
    };
    for (const auto& order : orders) {
        INFO("alternative " << order.index());
        const auto decoded = decode_to_member(encode(order));
        REQUIRE(decoded.has_value());
        CHECK(*decoded == order);
    }
}

TEST_CASE("control messages: the first words of a stream survive the wire", "[wire]")
{
    const control::Hello hello{
        .protocol_version = 1,
        .task_id = "mysos-demo-1-x",
        .cluster = "demo",
        .member = MemberId{1},
        .executor_version = "0.1.0",
        .observation = everything_observed()};
    const auto decoded = decode_hello(encode(hello));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == hello);
}

TEST_CASE("control messages: what is not one is malformed", "[wire]")
{
    const std::string garbage = "\xff\xff\xff";
    CHECK(decode_hello(garbage).error() == Errc::message_malformed);
    CHECK(decode_from_member(garbage).error() == Errc::message_malformed);
    CHECK(decode_to_member(garbage).error() == Errc::message_malformed);
    CHECK(decode_from_member("").error() == Errc::message_malformed);
    CHECK(decode_to_member("").error() == Errc::message_malformed);

    pb::control::ToMember far;
    far.mutable_follow()->set_port(65536);
    CHECK(decode_to_member(far.SerializeAsString()).error() == Errc::message_malformed);

    pb::control::ToMember rebuild;
    rebuild.mutable_rebuild()->set_donor_port(65536);
    CHECK(decode_to_member(rebuild.SerializeAsString()).error() == Errc::message_malformed);
    rebuild.mutable_rebuild()->set_donor_port(65535);
    CHECK(decode_to_member(rebuild.SerializeAsString()).has_value());
    rebuild.mutable_rebuild()->set_donor_peer_port(65536);
    CHECK(decode_to_member(rebuild.SerializeAsString()).error() == Errc::message_malformed);

    pb::control::ToMember promote;
    promote.mutable_promote()->add_accounts()->set_user("of no kind");
    CHECK(decode_to_member(promote.SerializeAsString()).error() == Errc::message_malformed);

    pb::control::ToMember set;
    set.mutable_set_acknowledgers()->add_accounts()->set_user("of no kind");
    CHECK(decode_to_member(set.SerializeAsString()).error() == Errc::message_malformed);
}
