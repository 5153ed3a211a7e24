#include "executor/rebuild/receive.hpp"

#include "executor/out/spawn.hpp"
#include "executor/rebuild/child.hpp"
#include "executor/rebuild/disk.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

namespace mysos::executor {
namespace {

using namespace std::chrono_literals;

constexpr Duration silence_max = 120s;  ///< The donor's server may have to finish something first.
constexpr std::chrono::seconds prepare_max{6 * 3600};

}  // namespace

io::Awaitable<Outcome<void>> receive_backup(
    boost::asio::any_io_executor executor,
    ReceiveOrder order,
    io::ResponseStream& stream,
    std::function<void(std::uint64_t)> on_bytes)
{
    Spawn unpack;
    unpack.arguments = {order.unpack, "--extract", "--directory=" + staging(order.directories)};
    unpack.environment = bare_environment();
    auto child =
        Child::start(std::move(executor), std::move(unpack), Child::Pipe::into_it, order.log_path);
    if (child.has_error()) co_return child.error();
    std::uint64_t bytes = 0;
    for (;;) {
        const auto piece = co_await stream.next(Clock::now() + silence_max);
        if (piece.has_error()) {
            co_return Failure{
                InstallErrc::download_failed,
                "the backup broke off after " + std::to_string(bytes) +
                    " bytes: " + piece.error().message()};
        }
        if (piece->empty()) break;
        auto taken = co_await (*child)->write(*piece);
        if (taken.has_error()) co_return taken;
        bytes += piece->size();
        on_bytes(bytes);
    }
    (*child)->close_pipe();
    co_return co_await (*child)->ended();
}

Outcome<void> prepare_backup(const ReceiveOrder& order)
{
    constexpr std::uint32_t memory_min = 16;
    Spawn prepare;
    prepare.arguments = {
        order.backup,
        "--no-defaults",
        "--prepare",
        "--use-memory=" + std::to_string(std::max(memory_min, order.memory_mb / 4)) + "M",
        "--target-dir=" + staging(order.directories)};
    prepare.environment = bare_environment();
    const auto said = run_program(prepare, prepare_max);
    // Much, and only of use where it goes wrong.
    std::ofstream log{order.log_path, std::ios::app};
    log << (said.has_error() ? said.error().text + "\n" : *said);
    if (said.has_error()) return said.error();
    return accept_staging(order.directories);
}

Outcome<std::string> position_of_backup(const mysql::Directories& directories)
{
    // From 11.0 on it goes by the second name.
    for (const char* name : {"/xtrabackup_binlog_info", "/mariadb_backup_binlog_info"}) {
        std::ifstream file{directories.data + name};
        std::string log;
        std::string offset;
        std::string position;
        if (file >> log >> offset >> position) return position;
    }
    return Failure{
        InstallErrc::package_broken,
        directories.data + ": the backup does not say which transaction is its last"};
}

}  // namespace mysos::executor
