#pragma once

#include "common/base/ids.hpp"
#include "common/base/uuid.hpp"
#include "common/cluster/input.hpp"
#include "common/control/messages.hpp"
#include "common/mesos/ids.hpp"
#include "common/mysql/position.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// One executor with its MariaDB server, as far as the scheduler can tell: phases, epochs kept on
/// the volume, positions as sequence numbers with the epoch in their high bits.
namespace mysos::sim {

struct Disk {  ///< What a volume holds; survives every task.
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;  ///< Of domain 0; 0: nothing yet.
    bool permanent_token = false;
    bool was_primary = false;  ///< Of `epoch`: may have a tail that nobody acknowledged.
};

struct FakeMember {
    std::string cluster;
    MemberId id{};
    mesos::TaskId task;
    std::string ip;
    std::uint16_t port = 0;
    Disk disk;
    control::Phase phase = control::Phase::start;
    int starting = 3;  ///< Ticks until its server answers.
    bool writable = false;
    bool amnesiac = false;
    bool acknowledges = false;
    std::uint32_t acks = 0;
    MemberId source{};
    std::string source_ip;
    std::uint16_t source_port = 0;
    std::uint64_t run = 1;  ///< Of its server.
    std::optional<cluster::StreamId> stream;
    bool stream_accepted = false;
    int leaving = 0;        ///< Ticks until it ends, whoever leads; 0: it does not.
    bool released = false;  ///< Told to stop.

    [[nodiscard]] control::Observation observe() const;
    [[nodiscard]] control::Hello hello() const;
    [[nodiscard]] std::string position() const;

    /// Obeys one order; what it answers at once.
    [[nodiscard]] std::optional<control::FromMember> obey(const control::ToMember& order);

    /// Its server process ends; the executor stays.
    void crash();
};

}  // namespace mysos::sim
