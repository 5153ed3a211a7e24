#include "common/wire/control.hpp"
#include "common/wire/errc.hpp"
#include "mysos/control.pb.h"

#include <limits>
#include <utility>
#include <variant>
#include <vector>

namespace mysos::wire {
namespace {

void fill(pb::control::Account& to, const control::Account& from)
{
    to.set_user(from.user);
    to.set_password(from.password);
}

control::Account from_wire(const pb::control::Account& from)
{
    return {.user = from.user(), .password = from.password()};
}

pb::control::AccountSpec::Kind to_wire(control::AccountSpec::Kind kind)
{
    using Kind = control::AccountSpec::Kind;
    switch (kind) {
        case Kind::admin: return pb::control::AccountSpec::ADMIN;
        case Kind::application: return pb::control::AccountSpec::APPLICATION;
        case Kind::monitor: return pb::control::AccountSpec::MONITOR;
        case Kind::clone: return pb::control::AccountSpec::CLONE;
        case Kind::replication: return pb::control::AccountSpec::REPLICATION;
    }
    return pb::control::AccountSpec::KIND_UNKNOWN;
}

void fill(
    google::protobuf::RepeatedPtrField<pb::control::AccountSpec>& to,
    const std::vector<control::AccountSpec>& from)
{
    for (const control::AccountSpec& spec : from) {
        pb::control::AccountSpec& added = *to.Add();
        added.set_kind(to_wire(spec.kind));
        added.set_user(spec.account.user);
        added.set_password(spec.account.password);
    }
}

/// An account of an unknown kind cannot be made with the right grants: the whole order is refused.
Result<std::vector<control::AccountSpec>> from_wire(
    const google::protobuf::RepeatedPtrField<pb::control::AccountSpec>& from)
{
    using Kind = control::AccountSpec::Kind;
    std::vector<control::AccountSpec> to;
    for (const pb::control::AccountSpec& spec : from) {
        control::AccountSpec& added = to.emplace_back();
        added.account = {.user = spec.user(), .password = spec.password()};
        switch (spec.kind()) {
            case pb::control::AccountSpec::ADMIN: added.kind = Kind::admin; break;
            case pb::control::AccountSpec::APPLICATION: added.kind = Kind::application; break;
            case pb::control::AccountSpec::MONITOR: added.kind = Kind::monitor; break;
            case pb::control::AccountSpec::CLONE: added.kind = Kind::clone; break;
            case pb::control::AccountSpec::REPLICATION: added.kind = Kind::replication; break;
            default: return Errc::message_malformed;
        }
    }
    return to;
}

/// Fills the one field of the message that the order belongs into.
struct Filler {
    pb::control::ToMember& to;

    void operator()(const control::Welcome& from) const
    {
        auto& welcome = *to.mutable_welcome();
        welcome.set_token(from.token);
        welcome.set_cluster_uuid(from.cluster_uuid);
        fill(*welcome.mutable_admin(), from.admin);
        welcome.set_epoch(number(from.epoch));
        welcome.set_peer_token(from.peer_token);
    }
    void operator()(const control::Heartbeat&) const { to.mutable_heartbeat(); }
    void operator()(const control::Prepare& from) const
    {
        to.mutable_prepare()->set_epoch(number(from.epoch));
    }
    void operator()(const control::Promote& from) const
    {
        auto& promote = *to.mutable_promote();
        promote.set_epoch(number(from.epoch));
        promote.set_position(from.position);
        promote.set_acks(from.acks);
        fill(*promote.mutable_accounts(), from.accounts);
    }
    void operator()(const control::Follow& from) const
    {
        auto& follow = *to.mutable_follow();
        follow.set_epoch(number(from.epoch));
        follow.set_primary_server_id(number(from.primary));
        follow.set_host(from.host);
        follow.set_port(from.port);
        fill(*follow.mutable_account(), from.account);
        follow.set_acknowledge(from.acknowledge);
        follow.set_serial(from.serial);
        follow.set_caught_up(from.caught_up);
        follow.set_server_run(from.server_run);
        follow.set_position(from.position);
    }
    void operator()(const control::Open& from) const
    {
        to.mutable_open()->set_epoch(number(from.epoch));
    }
    void operator()(const control::SetAcknowledgers& from) const
    {
        auto& set = *to.mutable_set_acknowledgers();
        set.set_epoch(number(from.epoch));
        set.set_acks(from.acks);
        fill(*set.mutable_accounts(), from.accounts);
        set.set_serial(from.serial);
    }
    void operator()(const control::LockAccount& from) const
    {
        auto& lock = *to.mutable_lock_account();
        lock.set_epoch(number(from.epoch));
        lock.set_user(from.user);
        lock.set_server_id(number(from.member));
        lock.set_serial(from.serial);
    }
    void operator()(const control::Stop&) const { to.mutable_stop(); }
    void operator()(const control::Restart& from) const
    {
        to.mutable_restart()->set_epoch(number(from.epoch));
    }
    void operator()(const control::ShutOut& from) const
    {
        auto& shut_out = *to.mutable_shut_out();
        shut_out.set_epoch(number(from.epoch));
        shut_out.set_serial(from.serial);
    }
    void operator()(const control::Rebuild& from) const
    {
        auto& rebuild = *to.mutable_rebuild();
        rebuild.set_epoch(number(from.epoch));
        rebuild.set_primary_server_id(number(from.primary));
        rebuild.set_donor_server_id(number(from.donor));
        rebuild.set_donor_host(from.donor_host);
        rebuild.set_donor_port(from.donor_port);
        rebuild.set_donor_peer_port(from.donor_peer_port);
        fill(*rebuild.mutable_account(), from.account);
        rebuild.set_position(from.position);
        rebuild.set_serial(from.serial);
    }
};

Result<control::ToMember> from_wire(const pb::control::Promote& from)
{
    auto accounts = from_wire(from.accounts());
    if (accounts.has_error()) return accounts.error();
    return control::ToMember{control::Promote{
        .epoch = Epoch{from.epoch()},
        .position = from.position(),
        .acks = from.acks(),
        .accounts = std::move(*accounts)}};
}

Result<control::ToMember> from_wire(const pb::control::SetAcknowledgers& from)
{
    auto accounts = from_wire(from.accounts());
    if (accounts.has_error()) return accounts.error();
    return control::ToMember{control::SetAcknowledgers{
        .epoch = Epoch{from.epoch()},
        .acks = from.acks(),
        .accounts = std::move(*accounts),
        .serial = from.serial()}};
}

Result<control::ToMember> from_wire(const pb::control::Follow& from)
{
    if (from.port() > std::numeric_limits<std::uint16_t>::max()) return Errc::message_malformed;
    return control::ToMember{control::Follow{
        .epoch = Epoch{from.epoch()},
        .primary = MemberId{from.primary_server_id()},
        .host = from.host(),
        .port = static_cast<std::uint16_t>(from.port()),
        .account = from_wire(from.account()),
        .acknowledge = from.acknowledge(),
        .serial = from.serial(),
        .caught_up = from.caught_up(),
        .server_run = from.server_run(),
        .position = from.position()}};
}

Result<control::ToMember> from_wire(const pb::control::Rebuild& from)
{
    constexpr std::uint32_t port_max = std::numeric_limits<std::uint16_t>::max();
    if (from.donor_port() > port_max || from.donor_peer_port() > port_max) {
        return Errc::message_malformed;
    }
    return control::ToMember{control::Rebuild{
        .epoch = Epoch{from.epoch()},
        .primary = MemberId{from.primary_server_id()},
        .donor = MemberId{from.donor_server_id()},
        .donor_host = from.donor_host(),
        .donor_port = static_cast<std::uint16_t>(from.donor_port()),
        .donor_peer_port = static_cast<std::uint16_t>(from.donor_peer_port()),
        .account = from_wire(from.account()),
        .position = from.position(),
        .serial = from.serial()}};
}

Result<control::ToMember> from_wire(const pb::control::ToMember& from)
{
    using Order = control::ToMember;
    using pb::control::ToMember;
    switch (from.body_case()) {
        case ToMember::kWelcome:
            return Order{control::Welcome{
                .token = from.welcome().token(),
                .cluster_uuid = from.welcome().cluster_uuid(),
                .admin = from_wire(from.welcome().admin()),
                .epoch = Epoch{from.welcome().epoch()},
                .peer_token = from.welcome().peer_token()}};
        case ToMember::kHeartbeat: return Order{control::Heartbeat{}};
        case ToMember::kPrepare:
            return Order{control::Prepare{.epoch = Epoch{from.prepare().epoch()}}};
        case ToMember::kPromote: return from_wire(from.promote());
        case ToMember::kFollow: return from_wire(from.follow());
        case ToMember::kOpen: return Order{control::Open{.epoch = Epoch{from.open().epoch()}}};
        case ToMember::kSetAcknowledgers: return from_wire(from.set_acknowledgers());
        case ToMember::kLockAccount:
            return Order{control::LockAccount{
                .epoch = Epoch{from.lock_account().epoch()},
                .user = from.lock_account().user(),
                .member = MemberId{from.lock_account().server_id()},
                .serial = from.lock_account().serial()}};
        case ToMember::kStop: return Order{control::Stop{}};
        case ToMember::kRestart:
            return Order{control::Restart{.epoch = Epoch{from.restart().epoch()}}};
        case ToMember::kRebuild: return from_wire(from.rebuild());
        case ToMember::kShutOut:
            return Order{control::ShutOut{
                .epoch = Epoch{from.shut_out().epoch()}, .serial = from.shut_out().serial()}};
        case ToMember::BODY_NOT_SET: break;
    }
    return Errc::message_malformed;
}

}  // namespace

std::string encode(const control::ToMember& order)
{
    pb::control::ToMember to;
    std::visit(Filler{to}, order);
    return to.SerializeAsString();
}

Result<control::ToMember> decode_to_member(std::string_view bytes)
{
    pb::control::ToMember from;
    if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Errc::message_malformed;
    }
    return from_wire(from);
}

}  // namespace mysos::wire
