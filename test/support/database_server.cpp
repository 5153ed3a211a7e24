#include "test/support/database_server.hpp"

#include "test/support/free_port.hpp"
#include "test/support/packages.hpp"
#include "test/support/run.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mysos::test {
namespace {

constexpr int poll_ms = 20;

/// The value, or an exception with the words of the failure.
template <class T>
T must(Outcome<T> outcome)
{
    if (outcome.has_error()) throw std::runtime_error(outcome.error().text);
    if constexpr (!std::is_void_v<T>) return std::move(outcome.value());
}

control::AccountSpec replication_account(std::uint32_t server_id)
{
    const std::string id = std::to_string(server_id);
    return {control::AccountSpec::Kind::replication, {"repl_" + id, "pw'of\\" + id}};
}

}  // namespace

bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit)
{
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        ::poll(nullptr, 0, poll_ms);
    }
    return true;
}

executor::ServerControl::Deadline in_time()
{
    return std::chrono::steady_clock::now() + std::chrono::seconds{60};
}

DatabaseServer::DatabaseServer(mysql::Flavor flavor, std::uint32_t server_id)
{
    std::string pattern = "/tmp/mysos-server-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = pattern;
    config_.flavor = flavor;
    config_.server_id = server_id;
    config_.port = free_port();
    config_.address = "127.0.0.1";
    config_.report_host = "127.0.0.1";
    config_.memory_mb = 300;
    config_.directories = executor::directories_on(directory_);
    executor::InitialiseOrder order;
    order.programs = must(server_programs(flavor));
    order.directories = config_.directories;
    order.cache_dir = executor::default_cache_dir();
    order.log_path = log();
    must(executor::initialise(order));
    if (const auto user = must(executor::server_user()))
        must(executor::hand_over(directory_, *user));
}

DatabaseServer::~DatabaseServer()
{
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string DatabaseServer::log() const
{
    return directory_ + "/server.log";
}

std::string DatabaseServer::user() const
{
    return must(executor::local_user());
}

void DatabaseServer::start(mysql::StartMode mode)
{
    launch(mode);
    await_answer();
}

void DatabaseServer::launch(mysql::StartMode mode)
{
    const std::string file = directory_ + "/mysql/my.cnf";
    std::ofstream{file} << mysql::option_file(config_, "");
    executor::ServerLaunch launch;
    launch.programs = must(server_programs(config_.flavor));
    launch.option_file = file;
    launch.arguments = mysql::arguments(config_, mode);
    launch.data_dir = config_.directories.data;
    launch.log_path = log();
    launch.user = must(executor::server_user());
    process_ = must(executor::ServerProcess::start(loop_.get_executor(), launch));
    control_ = executor::make_server_control(config_.flavor, {process_->socket(), user(), ""});
}

void DatabaseServer::await_answer()
{
    const bool answers = eventually([&] {
        if (!runs()) throw std::runtime_error("ended: " + executor::log_tail(log(), 20));
        return control_->ping(in_time()).has_value();
    });
    if (!answers) throw std::runtime_error("does not answer: " + executor::log_tail(log(), 20));
}

bool DatabaseServer::runs() const
{
    loop_.restart();
    loop_.poll();
    if (process_ == nullptr) return false;
    // Without a coroutine that waits, nobody reaps it: look at the state the kernel shows.
    std::ifstream stat{"/proc/" + std::to_string(process_->pid()) + "/stat"};
    const std::string text{std::istreambuf_iterator<char>{stat}, {}};
    const auto name_end = text.rfind(')');
    return name_end != std::string::npos && text.compare(name_end + 2, 1, "Z") != 0;
}

executor::ProcessExit DatabaseServer::wait_for_exit()
{
    const auto ended = run(loop_, process_->exited());
    return ended.value();
}

void DatabaseServer::kill()
{
    process_->kill();
    static_cast<void>(wait_for_exit());
}

void DatabaseServer::stop()
{
    const auto ended = run(loop_, process_->stop(std::chrono::seconds{60}));
    static_cast<void>(ended.value());
}

void DatabaseServer::signal(int number) const
{
    ::kill(process_->pid(), number);
    if (number != SIGSTOP) return;
    siginfo_t stopped{};  // Its threads stop one by one, and may still answer until the last has.
    while (::waitid(P_PID, static_cast<id_t>(process_->pid()), &stopped, WSTOPPED) < 0) {
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitid");
    }
}

executor::SqlSession DatabaseServer::session(std::chrono::milliseconds answer) const
{
    auto session = executor::SqlSession::connect(
        {process_->socket(), user(), ""}, {std::chrono::seconds{10}, answer});
    return std::move(session.value());
}

executor::SqlResult<executor::SqlSession> DatabaseServer::login(
    const std::string& user, const std::string& password) const
{
    return executor::SqlSession::connect(
        {process_->socket(), user, password}, {std::chrono::seconds{10}, std::chrono::seconds{60}});
}

control::Observation DatabaseServer::observe() const
{
    return must(control_->observe(cluster_uuid, in_time()));
}

std::string DatabaseServer::ask(const std::string& sql) const
{
    return session().run(sql).value().scalar();
}

void DatabaseServer::tell(const std::string& sql) const
{
    static_cast<void>(session().run(sql).value());
}

std::string DatabaseServer::counter(const std::string& name) const
{
    const auto rows = session().run("SHOW GLOBAL STATUS LIKE '" + name + "'").value();
    return rows.field("Value").value_or("");
}

std::string DatabaseServer::promote(
    std::uint64_t epoch,
    std::uint32_t acks,
    const std::string& position,
    std::set<std::string> replicas)
{
    const executor::PromoteOrder order{
        epoch, position, acks, cluster_uuid, id(), std::move(replicas)};
    return must(control_->promote(order, in_time()));
}

void DatabaseServer::follow(
    const DatabaseServer& primary, bool acknowledge, executor::ServerControl::Deadline deadline)
{
    const control::AccountSpec account = replication_account(id());
    must(primary.control().make_accounts({account}, in_time()));
    executor::FollowOrder order;
    order.host = "127.0.0.1";
    order.port = primary.port();
    order.account = account.account;
    order.acknowledge = acknowledge;
    must(control_->follow(order, deadline));
}

}  // namespace mysos::test
