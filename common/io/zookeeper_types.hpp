#pragma once

#include "common/base/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The values that the ZooKeeper client takes and gives.
namespace mysos::zookeeper {

/// How often a node's data was written since it was made.
enum class Version : std::int32_t {};
inline constexpr Version any_version{-1};

enum class CreateMode { persistent, ephemeral, persistent_sequential, ephemeral_sequential };

/// Who may do what, when the client has credentials.
enum class Access {
    everyone_reads,  ///< The creator does all. Mesos' rule for its own nodes.
    creator_only,    ///< For what concerns nobody else.
};

struct Stat {
    Version version{};
    std::int32_t child_count = 0;
    std::int64_t ephemeral_owner = 0;  ///< Session id; 0: persistent.
    std::int64_t created_zxid = 0;     ///< Differs when a node was removed and made again.
    friend bool operator==(const Stat&, const Stat&) = default;
};

struct Node {
    std::string data;
    Stat stat;
    friend bool operator==(const Node&, const Node&) = default;
};

/// Who a session belongs to. The password is a secret.
struct SessionKey {
    std::int64_t id = 0;
    std::array<char, 16> password{};
    friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

enum class WatchEvent {
    created,
    changed,
    deleted,
    children_changed,
    session_expired,  ///< Nobody watches any more: read again.
    closed,           ///< The client was closed.
};

/// A one-shot watch. Copies are the same watch; dropping all of them forgets it.
class Watch {
  public:
    class State;
    explicit Watch(std::shared_ptr<State> state) : state_{std::move(state)} {}

    /// Returns at once when it has fired already. The only error is operation_aborted.
    [[nodiscard]] boost::asio::awaitable<Result<WatchEvent>> fired() const;

  private:
    std::shared_ptr<State> state_;  ///< Shared with the client, which fires it.
};

template <class T>
struct Watched {
    T value;
    Watch watch;
};

struct SessionEvent {
    enum class Kind {
        connected,     ///< Operations go through. A session id not seen before is a new session.
        disconnected,  ///< The session may live on: ephemeral nodes stay for now.
        expired,       ///< Ephemeral nodes and watches are gone. A new session is being opened.
        auth_failed,   ///< As expired, because the ensemble refuses our credentials.
        closed,        ///< Last of all events.
    };
    Kind kind = Kind::disconnected;
    std::int64_t session_id = 0;  ///< 0: never had one.
    friend bool operator==(const SessionEvent&, const SessionEvent&) = default;
};

/// A subscription to what happens to the session: no event is lost or repeated.
class SessionEvents {
  public:
    class State;
    explicit SessionEvents(std::shared_ptr<State> state) : state_{std::move(state)} {}

    /// The next event, in order. The only error is operation_aborted. After `closed`, `closed`.
    [[nodiscard]] boost::asio::awaitable<Result<SessionEvent>> next();

  private:
    std::shared_ptr<State> state_;  ///< Shared with the client, which appends to it.
};

/// One part of a multi; made by the functions below.
class Op {
  public:
    enum class Kind { create, set, remove, check };

    [[nodiscard]] static Op create(
        std::string path,
        std::string data,
        CreateMode mode = CreateMode::persistent,
        Access access = Access::everyone_reads);
    [[nodiscard]] static Op set(std::string path, std::string data, Version expected = any_version);
    [[nodiscard]] static Op remove(std::string path, Version expected = any_version);
    /// Holds when the node is there (in that version).
    [[nodiscard]] static Op check(std::string path, Version expected = any_version);

    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] const std::string& data() const { return data_; }
    [[nodiscard]] CreateMode mode() const { return mode_; }
    [[nodiscard]] Access access() const { return access_; }
    [[nodiscard]] Version expected() const { return expected_; }
    friend bool operator==(const Op&, const Op&) = default;

  private:
    Op() = default;
    Kind kind_ = Kind::check;
    std::string path_;
    std::string data_;
    CreateMode mode_ = CreateMode::persistent;
    Access access_ = Access::everyone_reads;
    Version expected_ = any_version;
};

/// What came of one part: the path made by a create, the version left by a set.
struct OpResult {
    std::string path;
    Version version{};
    friend bool operator==(const OpResult&, const OpResult&) = default;
};

struct Refusal {
    std::size_t index = 0;  ///< Of the first part that did not hold.
    ErrorCode why;
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct MultiOutcome {
    std::optional<Refusal> refusal;  ///< None: everything was done.
    std::vector<OpResult> results;   ///< One a part, when everything was done.
    friend bool operator==(const MultiOutcome&, const MultiOutcome&) = default;
};

}  // namespace mysos::zookeeper
