#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Keeps `<zk>/discover/<cluster>` equal to what clients should find: at most one member under
/// `master`, the other serving ones under `slaves`.
///
/// Safe because each difference between the tree as read and the tree as wanted becomes one multi,
/// in which deletions come first and which checks the version of every node it replaces: a reader
/// sees the old primary or the new one, never both and never half a change. What is in the tree is
/// read, never remembered over a restart; a multi whose outcome is not known is followed by
/// reading.
///
/// Shape:  member node = ( "master" / "slaves" ) "/member_" 10DIGIT, the number being the server
/// id;
///         data = ServerSet JSON {"serviceEndpoint":…,"additionalEndpoints":{},"status":"ALIVE",
///         "shard":<server id>}.
///
/// Pure: no I/O, clock, randomness, logging or threads. Equal arguments give equal effects.
namespace mysos::publish {

struct Config {
    Duration retry_min;  ///< After a failure; doubles up to the maximum.
    Duration retry_max;
};

struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What clients should find.
struct Wanted {
    std::optional<MemberId> master;        ///< Not set: no primary is open.
    std::map<MemberId, Endpoint> members;  ///< That can serve, the master among them.
    friend bool operator==(const Wanted&, const Wanted&) = default;
};

/// What is there: paths relative to the cluster's node ("" is that node itself).
struct Node {
    std::string data;
    std::int32_t version = 0;
    friend bool operator==(const Node&, const Node&) = default;
};
using Tree = std::map<std::string, Node>;

// Inputs: what has happened.

struct WantedChanged {
    Wanted wanted;
};
struct RemovalWanted {  ///< The cluster is deleted. Final: later changes are ignored.
    friend bool operator==(const RemovalWanted&, const RemovalWanted&) = default;
};
struct TreeRead {  ///< Empty: there is nothing of this cluster.
    std::uint64_t serial = 0;
    Tree tree;
};
struct Applied {  ///< The multi of that serial was carried out.
    std::uint64_t serial = 0;
};
struct Failed {  ///< Reading or multi: refused, lost, or its outcome is not known.
    std::uint64_t serial = 0;
};
struct SessionRenewed {};  ///< ZooKeeper is back, or somebody wrote there: look again.
struct DeadlinePassed {};

using Input = std::variant<
    WantedChanged,
    RemovalWanted,
    TreeRead,
    Applied,
    Failed,
    SessionRenewed,
    DeadlinePassed>;

// Effects: what the shell does next. Each is answered by an input with its serial.

struct Create {
    std::string path;
    std::string data;
    friend bool operator==(const Create&, const Create&) = default;
};
struct Remove {
    std::string path;
    std::int32_t version = 0;
    friend bool operator==(const Remove&, const Remove&) = default;
};
struct Write {
    std::string path;
    std::string data;
    std::int32_t version = 0;
    friend bool operator==(const Write&, const Write&) = default;
};
using Operation = std::variant<Create, Remove, Write>;

struct ReadTree {
    std::uint64_t serial = 0;
    friend bool operator==(const ReadTree&, const ReadTree&) = default;
};
/// All or nothing. The shell also checks its own election znode in the same multi. Creating ""
/// means the cluster's node; its parents are the shell's.
struct Apply {
    std::uint64_t serial = 0;
    std::vector<Operation> operations;
    friend bool operator==(const Apply&, const Apply&) = default;
};
struct ReportPublished {  ///< The tree is as wanted.
    std::optional<MemberId> master;
    friend bool operator==(const ReportPublished&, const ReportPublished&) = default;
};
struct ReportRemoved {  ///< Nothing is left: the deletion is complete.
    friend bool operator==(const ReportRemoved&, const ReportRemoved&) = default;
};
struct Ignored {
    enum class Why { being_removed, not_asked, already_so, nothing_wanted, too_early };
    Why why;
    friend bool operator==(const Ignored&, const Ignored&) = default;
};

using Effect = std::variant<ReadTree, Apply, ReportPublished, ReportRemoved, Ignored>;
using Effects = std::vector<Effect>;

// State: a plain value.

struct Unread {  ///< What is there is not known.
    friend bool operator==(const Unread&, const Unread&) = default;
};
struct Reading {
    std::uint64_t serial = 0;
    friend bool operator==(const Reading&, const Reading&) = default;
};
struct Applying {
    std::uint64_t serial = 0;
    Tree then;  ///< The tree once it is carried out.
    friend bool operator==(const Applying&, const Applying&) = default;
};
struct Waiting {  ///< After a failure.
    TimePoint until;
    friend bool operator==(const Waiting&, const Waiting&) = default;
};
struct Equal {  ///< The tree is as wanted.
    Tree tree;
    friend bool operator==(const Equal&, const Equal&) = default;
};

struct State {
    std::variant<std::monostate, Wanted, RemovalWanted> goal;
    std::variant<Unread, Reading, Applying, Waiting, Equal> phase;
    std::uint64_t serial = 0;
    bool look_again = false;  ///< What is read or applied now may be out of date already.
    Duration retry{};         ///< The next pause after a failure.
    friend bool operator==(const State&, const State&) = default;
};

/// Takes one input. Never fails or throws: what does not apply comes back as `Ignored`.
[[nodiscard]] Effects step(State& state, const Config& config, const Input& input, TimePoint now);

/// When the shell must next send `DeadlinePassed`; none while nothing is awaited.
[[nodiscard]] std::optional<TimePoint> next_deadline(const State& state);

}  // namespace mysos::publish
