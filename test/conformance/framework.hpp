#pragma once

#include "test/conformance/http.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The suite's own framework and executors, spoken in JSON unless a check wants otherwise. The
/// executors are played by the suite: a launched command only idles, and the suite speaks to the
/// agent in its place, since an agent believes any client with the right ids.
namespace mysos::conformance {

using Json = nlohmann::json;

struct Options {
    Address master;
    std::optional<Address> follower;  ///< A master that does not lead.
    std::string principal;            ///< Both empty: the master asks nobody who they are.
    std::string secret;
    std::string role = "conformance";
    std::string user;                       ///< Whom tasks run as.
    std::string listen_host = "127.0.0.1";  ///< Where executors can reach this program.
    bool standin = false;
    bool destructive = false;
    bool slow = false;
    bool verbose = false;
};

void require(bool holds, const std::string& what);

template <class A, class B>
void require_equal(const A& seen, const B& wanted, const std::string& what)
{
    if (seen == wanted) return;
    throw Failed(what + ": " + Json(seen).dump() + " instead of " + Json(wanted).dump());
}

/// Text of a member of nested objects, such as text(event, "/update/status/state"); empty when
/// absent.
[[nodiscard]] std::string text(const Json& value, const char* pointer);
[[nodiscard]] const Json& at(const Json& value, const char* pointer);

/// A version 4 UUID of 16 bytes in base64, as calls carry it.
[[nodiscard]] std::string new_uuid();
[[nodiscard]] std::string base64(std::string_view bytes);
/// An id not used before by this or another run.
[[nodiscard]] std::string new_id(const std::string& stem);

[[nodiscard]] Request json_request(const std::string& path, const Json& body);

/// One subscription and what is needed to use it. Tears its framework down at the end.
class Framework {
  public:
    /// `patch` is merged into the default FrameworkInfo (RFC 7396: null removes a field).
    explicit Framework(const Options& options, const Json& patch = Json::object());
    ~Framework();
    Framework(const Framework&) = delete;
    Framework& operator=(const Framework&) = delete;

    [[nodiscard]] const std::string& id() const { return id_; }
    [[nodiscard]] const std::string& stream_id() const { return stream_id_; }
    [[nodiscard]] const Json& info() const { return info_; }
    [[nodiscard]] const Json& subscribed() const { return subscribed_; }
    [[nodiscard]] RecordStream& stream() { return *stream_; }
    [[nodiscard]] const Options& options() const { return options_; }

    /// Subscribes again with the same id; the former stream stays as it is.
    void resubscribe();
    /// Cuts the subscription's connection.
    void disconnect();
    /// No TEARDOWN at the end: the check removes the framework itself.
    void leave() { gone_ = true; }

    /// Sends a call with ids and stream id filled in where absent.
    Response call(Json body);
    /// The same, and fails unless it is answered with 202.
    void must(Json body);

    using Predicate = std::function<bool(const Json&)>;
    /// The next event of that type (and predicate). Others are dropped, but offers remembered.
    [[nodiscard]] Json await(
        const std::string& type,
        const Predicate& wanted = {},
        std::chrono::milliseconds within = std::chrono::seconds{20});
    /// Fails if such an event comes within `quiet`.
    void await_none(
        const std::string& type,
        const Predicate& unwanted = {},
        std::chrono::milliseconds quiet = std::chrono::milliseconds{2200});
    /// The end of the stream; events before it are returned.
    [[nodiscard]] std::vector<Json> await_end();
    /// The status of the next UPDATE for a task.
    [[nodiscard]] Json await_status(
        const std::string& task,
        const std::string& state = {},
        std::chrono::milliseconds within = std::chrono::seconds{20});
    void acknowledge(const Json& status);

    /// An offer with at least 0.5 cpus and 128 MB unreserved, from those at hand or the next.
    [[nodiscard]] Json offer(
        const Predicate& wanted = {}, std::chrono::milliseconds within = std::chrono::seconds{30});

  private:
    [[nodiscard]] std::optional<Json> next(Deadline deadline);

    const Options& options_;
    Json info_;
    std::string id_;
    std::string stream_id_;
    Json subscribed_;
    std::unique_ptr<RecordStream> stream_;
    std::deque<Json> offers_;
    bool gone_ = false;
};

/// SUBSCRIBE of a framework, not sent.
[[nodiscard]] Json subscribe_call(const Json& framework_info);
[[nodiscard]] Json default_info(const Options& options);
[[nodiscard]] Request scheduler_request(const Options& options, const Json& body);

// Resources, in the form of frameworks with MULTI_ROLE and RESERVATION_REFINEMENT.

[[nodiscard]] Json scalar(const std::string& name, double value);
[[nodiscard]] Json ports(int begin, int end);
/// The same, dynamically reserved for the suite's role.
[[nodiscard]] Json reserved(Json resource, const Options& options);
/// A persistent volume of that reserved size.
[[nodiscard]] Json volume(double megabytes, const std::string& id, const Options& options);
/// Sum of a scalar in an offer's resources that have no reservation and no volume.
[[nodiscard]] double unreserved(const Json& offer, const std::string& name);
/// Resources of an offer with this persistence id.
[[nodiscard]] std::vector<Json> volumes(const Json& offer, const std::string& id);

// Operations and tasks.

[[nodiscard]] Json executor_info(
    const std::string& id, const std::string& command = "exec sleep 600");
/// 0.1 cpus and 32 MB unreserved, with a custom executor of the same id unless `executor` says
/// otherwise.
[[nodiscard]] Json task_info(
    const Json& offer, const std::string& id, const Json& executor = nullptr);
[[nodiscard]] Json launch(const std::vector<Json>& tasks);
[[nodiscard]] Json operation(const char* type, const std::vector<Json>& resources);
[[nodiscard]] Json accept(
    const Json& offer, const std::vector<Json>& operations, double refuse = 0);
[[nodiscard]] Json decline(const Json& offer, double refuse);

/// The suite in the place of an executor that was launched and idles.
class Executor {
  public:
    /// Where the agent of this offer serves executors.
    Executor(const Json& offer, std::string framework, std::string executor);

    [[nodiscard]] const Address& agent() const { return agent_; }
    [[nodiscard]] Response call(Json body) const;
    void must(Json body) const;
    /// Subscribes as soon as the agent knows the executor.
    void subscribe(const Json& subscribe = Json::object());
    [[nodiscard]] RecordStream& stream() { return *stream_; }
    [[nodiscard]] Json await(
        const std::string& type, std::chrono::milliseconds within = std::chrono::seconds{20});
    void await_none(
        const std::string& type, std::chrono::milliseconds quiet = std::chrono::milliseconds{2200});
    [[nodiscard]] std::vector<std::string> await_end();

    /// An UPDATE body; uuid new, source SOURCE_EXECUTOR.
    [[nodiscard]] Json update(const std::string& task, const std::string& state) const;

  private:
    Address agent_;
    std::string framework_;
    std::string executor_;
    std::unique_ptr<RecordStream> stream_;
};

/// Destroys and unreserves everything the suite's role holds, so that nothing of it stays on the
/// agents.
void clean_role(const Options& options);

/// Waits for one connection and returns all it sends: how a launched command reports to the suite.
class Listener {
  public:
    explicit Listener(std::string host);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    /// A shell redirection target that reaches this listener (bash only).
    [[nodiscard]] std::string device() const;
    [[nodiscard]] std::string accept_all(Deadline deadline) const;

  private:
    std::string host_;
    int socket_ = -1;
    int port_ = 0;
};

}  // namespace mysos::conformance
