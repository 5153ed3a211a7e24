#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/electorate/electorate.hpp"
#include "common/mysql/observation.hpp"
#include "common/mysql/position.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

/// What a diagnosis is made from: plain values, and pointers into what the caller holds meanwhile.
namespace mysos::diagnosis {

struct Config {
    /// Silence for longer is evidence: of a control stream, and of a replica's source.
    Duration lease = std::chrono::seconds{2};
    Duration hang_timeout = std::chrono::seconds{2};     ///< A server does not answer its executor.
    Duration hang_alone_max = std::chrono::seconds{60};  ///< Then it is started anew at the least.
    Duration cut_timeout = std::chrono::seconds{5};      ///< Commits wait for lost replicas.
    Duration failover_block = std::chrono::seconds{30};  ///< A new primary is given time to gather.
    Duration lag_max = std::chrono::seconds{30};
    Duration errant_after =
        std::chrono::seconds{10};  ///< Longer than reports of two members cross.
    std::uint64_t disk_free_min = std::uint64_t{64} << 20U;  ///< Bytes.
};

struct Member {
    bool connected = false;   ///< Its control stream is up.
    bool task_ended = false;  ///< Mesos says so: it serves nothing any more.
    TimePoint heard_at;       ///< Last word on the stream, or when we began to listen.
    const mysql::Observation* observation = nullptr;  ///< Last one; stale without a stream.
    std::string host;                                 ///< Where others replicate from.
    std::uint16_t port = 0;                           ///< There.
    bool refuses_as_errant = false;  ///< It refused to follow, holding what the primary lacks.
};

struct View {
    enum class Election { none, under_way, stuck };
    Epoch epoch{};
    MemberId primary{};  ///< Recorded, and opened or being so; 0: never one.
    electorate::Electorate electorate;
    std::map<MemberId, Member> members;
    Election election = Election::none;
    bool ever_opened = true;
    bool may_go_alone = false;  ///< Of two in E the primary goes on without its replica.
};

/// What an observation alone does not tell: since when. Forgotten by a restart of the scheduler,
/// which can make a verdict later, never wrong.
struct Past {
    struct Excess {
        mysql::Position position;  ///< Of the member, when its primary was first seen to lack it.
        TimePoint since{};
        friend bool operator==(const Excess&, const Excess&) = default;
    };
    /// Commits wait though enough replicas hold them; none was acknowledged meanwhile.
    struct Stall {
        mysql::Position position;  ///< Of the primary when that began, or may have.
        std::uint64_t acknowledged = 0;
        TimePoint since{};
        friend bool operator==(const Stall&, const Stall&) = default;
    };
    /// Of two in E the replica is not connected to the primary, or leaves its commits waiting.
    struct Loss {
        std::uint64_t acknowledged = 0;  ///< Nothing was since.
        TimePoint since{};
        friend bool operator==(const Loss&, const Loss&) = default;
    };
    std::optional<Epoch> epoch;
    std::optional<TimePoint> epoch_since;  ///< None: it had begun before we looked.
    std::optional<TimePoint> cut_since;    ///< Commits wait, and fewer than k replicas receive.
    std::optional<Stall> stall;
    std::optional<Loss> loss;
    std::map<MemberId, Excess> excess;
    friend bool operator==(const Past&, const Past&) = default;
};

}  // namespace mysos::diagnosis
