#include "executor/out/server_runs.hpp"

#include "common/mysql/config.hpp"
#include "executor/in/child_exits.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/out/durable_file.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <utility>

namespace mysos::executor {
namespace {

mysql::ServerConfig config_of(const ServerRuns::Member& member)
{
    mysql::ServerConfig config;
    const wire::TaskData& data = member.data;
    config.flavor = data.flavor == "mysql" ? mysql::Flavor::mysql : mysql::Flavor::mariadb;
    config.server_id = data.server_id;
    config.port = data.port;
    // An agent on loopback serves this machine alone, and so do its servers.
    config.address = data.ip.starts_with("127.") ? data.ip : "0.0.0.0";
    config.report_host = data.ip;
    config.memory_mb = data.mem_mb;
    return config;
}

mysql::StartMode start_mode(StartMode mode)
{
    switch (mode) {
        case StartMode::fenced: break;
        case StartMode::as_replica: return mysql::StartMode::as_replica;
        case StartMode::recipient: return mysql::StartMode::offline;
    }
    return mysql::StartMode::fenced;
}

/// How the server gets to its files.
struct Way {
    std::string top;  ///< The volume's directory "mysql", as the server sees it.
    std::optional<Mount> mount;
    std::string blocked;  ///< Why there is one.
};

/// The straight one, unless its user may not pass it: an agent's work directory may be closed to
/// others. Then a mount in the cache's directory, which nobody else sees.
Outcome<Way> way_to(const std::string& volume, const std::optional<ServerUser>& user)
{
    Way way{volume + "/mysql", std::nullopt, {}};
    if (!user) return way;
    const auto straight = check_way(volume, *user);
    const std::string seen = default_cache_dir() + "/volume";
    // Servers keep the paths of their logs: once this way, always this way.
    std::ifstream index{way.top + "/binlog/binlog.index"};
    std::string oldest;
    const bool before = std::getline(index, oldest) && oldest.starts_with(seen + "/");
    if (straight.has_value() && !before) return way;
    if (straight.has_error()) way.blocked = straight.error().text;
    std::error_code error;
    std::filesystem::create_directories(seen, error);
    if (error) return system_failure(seen, error.value());
    if (auto open = check_way(seen, *user); open.has_error()) return open.error();
    way.mount = Mount{way.top, seen};
    way.top = seen;
    return way;
}

mysql::Directories directories_in(const std::string& top)
{
    return {top + "/data", top + "/binlog", top + "/relay", top + "/tmp"};
}

/// The operator's file, refused where it contradicts what safety rests on.
Outcome<std::string> read_operators_file(
    const ServerRuns::Member& member, const mysql::ServerConfig& config)
{
    if (!member.operators_file) return std::string{};
    const std::string& path = *member.operators_file;
    const auto text = read_small_file(path);
    if (text.has_error()) return text.error();
    if (!*text) {
        return Failure{InstallErrc::system_failed, "MYSOS_DEFAULTS_FILE: no file " + path};
    }
    auto checked = mysql::check_operators_file(config, **text);
    if (checked.has_error()) {
        return Failure{
            checked.error().code, "MYSOS_DEFAULTS_FILE " + path + ": " + checked.error().text};
    }
    return **text;
}

}  // namespace

ServerRuns::ServerRuns(boost::asio::any_io_executor executor, io::Tasks& tasks, Post post)
    : executor_{std::move(executor)}, tasks_{tasks}, post_{std::move(post)}
{}

Outcome<void> ServerRuns::try_start(StartMode mode, const ServerPrograms& programs)
{
    const auto user = server_user();
    if (user.has_error()) return user.error();
    const auto way = way_to(member_.volume, *user);
    if (way.has_error()) return way.error();
    mysql::ServerConfig config = config_of(member_);
    config.directories = directories_in(way->top);
    const auto operators = read_operators_file(member_, config);
    if (operators.has_error()) return operators.error();
    const auto local = local_user();
    if (local.has_error()) return local.error();
    if (*user) {
        if (auto given = hand_over(member_.volume, **user); given.has_error()) return given;
    }
    ServerLaunch launch;
    launch.programs = programs;
    launch.option_file = way->top + "/my.cnf";
    const std::string option_file = member_.volume + "/mysql/my.cnf";
    constexpr mode_t readable = 0644;
    const std::string options = mysql::option_file(config, *operators);
    if (auto written = write_durably(option_file, options, readable); written.has_error()) {
        return written;
    }
    launch.arguments = mysql::arguments(config, start_mode(mode));
    launch.data_dir = directories_on(member_.volume).data;
    launch.mount = way->mount;
    launch.seen_data_dir = config.directories.data;
    launch.log_path = member_.log_path;
    launch.user = *user;
    auto process = ServerProcess::start(executor_, launch);
    if (process.has_error()) {
        const std::string because = way->blocked.empty() ? "" : way->blocked + "; ";
        return Failure{process.error().code, because + process.error().text};
    }
    process_ = std::move(*process);
    view_ = View{launch.mount, config.directories};
    const SqlTarget target{process_->socket(), *local, ""};
    orders_ = make_server_control(config.flavor, target);
    probes_ = make_server_control(config.flavor, target);
    donors_ = make_server_control(config.flavor, target);
    return {};
}

void ServerRuns::start(RunId run, StartMode mode, const ServerPrograms& programs)
{
    run_ = run;
    const Outcome<void> started = try_start(mode, programs);
    if (started.has_error()) return post_(ServerNotStarted{run, started.error().text});
    tasks_.spawn(watch_exit(process_, run, member_.log_path, post_));
}

void ServerRuns::kill(RunId run)
{
    if (run == run_ && process_) process_->kill();
}

void ServerRuns::terminate(RunId run)
{
    if (run == run_ && process_) process_->terminate();
}

}  // namespace mysos::executor
