#pragma once

#include "common/control/messages.hpp"
#include "common/io/http_server.hpp"
#include "common/io/zookeeper.hpp"
#include "common/wire/task_data.hpp"
#include "executor/out/sql_session.hpp"
#include "test/io/loop.hpp"
#include "test/support/executor_process.hpp"
#include "test/support/zookeeper_server.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What an executor lives among, played by the test: one agent for each, one scheduler for all, and
/// a real ZooKeeper in which it is found.
namespace mysos::test {

/// Secrets that the scheduler of these tests hands out.
inline constexpr const char* peer_secret = "secret-of-peers";
inline constexpr const char* clone_secret = "secret-of-clone";

/// Like "TASK_RUNNING: answers".
using Statuses = std::vector<std::string>;

/// An agent with one executor. Acknowledges what it is told.
class ScriptedAgent {
  public:
    explicit ScriptedAgent(Loop& loop);

    [[nodiscard]] std::string endpoint() const;
    /// With the SUBSCRIBED that comes next, or at once.
    void launch(const std::string& task_id, const std::string& data);
    void kill_task(const std::string& task_id);
    void shut_down();
    /// Cuts the stream; until `accept(true)` every request is answered 503.
    void drop();
    void accept(bool yes) { accepting_ = yes; }
    /// Cuts the stream, and knows no such executor from then on.
    void forget();
    /// Updates are taken and not acknowledged.
    void acknowledge(bool yes) { acknowledging_ = yes; }

    [[nodiscard]] bool is_subscribed() const { return stream_ != nullptr && stream_->is_open(); }
    [[nodiscard]] const Statuses& statuses() const { return statuses_; }
    [[nodiscard]] bool was_told(const std::string& status) const;
    [[nodiscard]] std::size_t subscriptions() const { return subscriptions_; }
    /// Of the last SUBSCRIBE.
    [[nodiscard]] std::size_t unacknowledged_updates() const { return unacknowledged_updates_; }
    [[nodiscard]] std::size_t unacknowledged_tasks() const { return unacknowledged_tasks_; }
    [[nodiscard]] const std::string& authorization() const { return authorization_; }
    /// What Mesos would have refused.
    [[nodiscard]] const Statuses& complaints() const { return complaints_; }

  private:
    [[nodiscard]] io::Awaitable<io::Reply> handle(io::Request request);
    void write(const std::string& event);
    void take(const std::string& status_bytes);

    io::HttpServer server_;
    std::shared_ptr<io::StreamWriter> stream_;
    bool accepting_ = true;
    bool forgetful_ = false;
    bool acknowledging_ = true;
    std::vector<std::string> to_launch_;
    Statuses statuses_;
    Statuses complaints_;
    std::vector<std::string> seen_uuids_;
    std::string authorization_;
    std::size_t subscriptions_ = 0;
    std::size_t unacknowledged_updates_ = 0;
    std::size_t unacknowledged_tasks_ = 0;
};

/// A scheduler's side of the control streams.
class ControlServer {
  public:
    explicit ControlServer(Loop& loop);

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] bool has(const std::string& task) const { return streams_.contains(task); }
    void send(const std::string& task, const control::ToMember& order);
    void drop(const std::string& task);
    /// False: it drops all and answers 503, as a scheduler that does not lead.
    void lead(bool yes);
    /// The latest of that member.
    [[nodiscard]] control::Observation seen(const std::string& task) const;
    /// All answers to orders, oldest first; taken away with it.
    [[nodiscard]] std::optional<control::FromMember> take(const std::string& task);
    [[nodiscard]] const std::vector<std::string>& authorizations() const { return authorizations_; }

  private:
    [[nodiscard]] io::Awaitable<io::Reply> handle(io::Request request);
    [[nodiscard]] io::Awaitable<void> beat();

    io::HttpServer server_;
    std::map<std::string, std::shared_ptr<io::StreamWriter>> streams_;
    std::map<std::string, control::Observation> seen_;
    std::map<std::string, std::vector<control::FromMember>> answers_;
    std::vector<std::string> authorizations_;
    bool leading_ = true;
};

/// One member: its sandbox, agent and program.
struct TestMember {
    std::string task;
    std::uint32_t server_id = 0;
    std::string sandbox;  ///< Of the latest task.
    std::string volume;   ///< Kept over tasks.
    wire::TaskData data;
    std::string mb_per_second;       ///< MYSOS_REBUILD_MB_PER_SECOND, if any.
    ScriptedAgent* agent = nullptr;  ///< Of the latest launch.
    std::unique_ptr<ExecutorProcess> process;
};

class ExecutorWorld {
  public:
    explicit ExecutorWorld(std::string flavor = "mariadb");
    ~ExecutorWorld();
    ExecutorWorld(const ExecutorWorld&) = delete;
    ExecutorWorld& operator=(const ExecutorWorld&) = delete;

    Loop loop;
    ZookeeperServer zookeeper;
    std::unique_ptr<ControlServer> control;

    /// Makes the sandbox with the volume in it, where and as an agent with the isolator
    /// filesystem/posix does; nothing is started. The volume is kept over calls.
    TestMember& make(std::uint32_t server_id);
    /// The program with an agent of its own, and its LAUNCH.
    void start(TestMember& member) { start(member, wire::encode_task_data(member.data)); }
    /// `data` empty: no LAUNCH.
    void start(TestMember& member, const std::string& data);
    /// On a disk of that size, like "300m".
    void start_on(TestMember& member, const std::string& size);
    [[nodiscard]] ExecutorProcess::Environment environment(const TestMember& member) const;

    void await_phase(const TestMember& member, control::Phase phase);
    /// The next answer of that kind; a Refused instead fails the test.
    template <class Answer>
    Answer answer(const TestMember& member)
    {
        std::optional<control::FromMember> got;
        loop.run_until([&] { return (got = control->take(member.task)).has_value(); });
        if (const auto* refused = std::get_if<control::Refused>(&*got)) {
            throw std::runtime_error{refused->order + " refused: " + refused->message};
        }
        return std::get<Answer>(std::move(*got));
    }

    // Orders, each with its answer awaited.
    void promote(TestMember& member, std::uint64_t epoch, std::uint32_t acks);
    void open(TestMember& member, std::uint64_t epoch);
    void follow(
        TestMember& member,
        const TestMember& primary,
        std::uint64_t epoch,
        bool acknowledge,
        bool caught_up = false);
    /// Without awaiting anything.
    void rebuild(
        const TestMember& member,
        const TestMember& primary,
        const TestMember& donor,
        std::uint64_t epoch,
        std::uint64_t serial) const;
    /// Starts both: an open primary of epoch 1 that waits for nobody, and a replica of it that
    /// acknowledges.
    void start_pair(TestMember& primary, TestMember& replica);

    [[nodiscard]] bool is_mariadb() const { return flavor_ == "mariadb"; }
    /// Over the socket, as the application; on MySQL, whose application needs a client plugin, as
    /// the administrator.
    [[nodiscard]] executor::SqlResult<executor::SqlRows> sql(
        const TestMember& member, const std::string& statement);
    /// The same as the local administrator.
    [[nodiscard]] executor::SqlResult<executor::SqlRows> sql_as_administrator(
        const TestMember& member, const std::string& statement);
    [[nodiscard]] const std::string& directory() const { return directory_; }

  private:
    void run(TestMember& member, const std::optional<ExecutorProcess::SmallDisk>& disk);

    std::string flavor_;
    std::string directory_;
    std::unique_ptr<zookeeper::Client> leader_;
    std::vector<std::unique_ptr<ScriptedAgent>> agents_;  ///< Served until the end.
    std::map<std::uint32_t, TestMember> members_;
    unsigned runs_ = 0;
};

}  // namespace mysos::test
