#pragma once

#include "common/cluster/cluster.hpp"
#include "test/support/cluster.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <utility>

/// A cluster that serves, and what its members say.
namespace mysos::test {

inline constexpr MemberId m1{1};
inline constexpr MemberId m2{2};
inline constexpr MemberId m3{3};
inline constexpr MemberId m4{4};
inline constexpr Epoch e1{1};
inline constexpr Epoch e2{2};
inline const std::string position = "0-1-1099511627776";
/// What the primary holds when clients are shut out.
inline const std::string last = "0-1-1099511627780";

inline cluster::StreamId stream_of(MemberId id)
{
    return cluster::StreamId{10 + static_cast<std::uint64_t>(id)};
}

inline control::Observation seen(control::Phase phase, const std::string& held)
{
    control::Observation result;
    result.phase = phase;
    result.epoch = e1;
    result.answers = true;
    result.position = held;
    result.empty = held.empty();
    return result;
}

inline control::Observation as_primary()
{
    control::Observation result = seen(control::Phase::primary, position);
    result.writable = true;
    result.acks_required = 1;
    return result;
}

inline control::Observation as_replica()
{
    control::Observation result = seen(control::Phase::replica, position);
    result.source = m1;
    result.receiver_running = true;
    result.applier_running = true;
    result.acknowledges = true;
    return result;
}

inline control::Observation holding(const std::string& held)
{
    control::Observation result = as_replica();
    result.position = held;
    return result;
}

inline cluster::Effects says(cluster::State& state, MemberId id, control::FromMember message)
{
    return give(state, cluster::MemberSaid{stream_of(id), std::move(message)});
}

inline cluster::Effects connect(
    cluster::State& state, MemberId id, const control::Observation& observation)
{
    cluster::MemberConnected in;
    in.stream = stream_of(id);
    in.token = cluster::Token::permanent;
    in.hello.member = id;
    in.hello.cluster = "demo";
    in.hello.task_id = state.record.members.at(id).task_id.text;
    in.hello.observation = observation;
    return give(state, in);
}

/// Three members on three agents; the first leads, and all are in E.
inline cluster::State three()
{
    cluster::State state = fresh(3);
    for (int agent = 1; agent <= 3; ++agent) {
        static_cast<void>(give(state, cluster::OfferArrived{big_offer(agent)}));
    }
    cluster::Record record = state.record;
    record.epoch = e1;
    record.primary = m1;
    record.opened = true;
    record.ever_opened = true;
    record.electorate = {m1, m2, m3};
    record.acks = 1;
    for (auto& [id, member] : record.members) {
        REQUIRE(member.launched);
        member.volume_created = true;
    }
    state = cluster::restored(record);
    static_cast<void>(give(state, cluster::Started{}));
    static_cast<void>(connect(state, m1, as_primary()));
    static_cast<void>(connect(state, m2, as_replica()));
    static_cast<void>(connect(state, m3, as_replica()));
    REQUIRE(state.electorate.leadership);
    // The primary has answered what it was asked upon adoption.
    const control::AcknowledgersSet aligned{e1, 1, position, state.electorate.serial};
    static_cast<void>(give(state, cluster::MemberSaid{stream_of(m1), aligned}));
    REQUIRE(std::holds_alternative<electorate::Steady>(state.electorate.leadership->change));
    state.dismiss_held.reset();  // It was not started just now.
    return state;
}

template <class Order>
std::optional<Order> order(const cluster::Effects& effects)
{
    for (const cluster::Effect& effect : effects) {
        const auto* send = std::get_if<cluster::SendOrder>(&effect);
        if (send == nullptr) continue;
        if (const auto* found = std::get_if<Order>(&send->order)) return *found;
    }
    return std::nullopt;
}

}  // namespace mysos::test
