#include "executor/rebuild/peer_server.hpp"

#include "common/io/log.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/install/tools.hpp"
#include "executor/rebuild/child.hpp"
#include "executor/rebuild/disk.hpp"
#include "executor/rebuild/peer.hpp"

#include <charconv>
#include <openssl/crypto.h>
#include <string_view>
#include <utility>
#include <vector>

namespace mysos::executor {
namespace {

using namespace std::chrono_literals;

constexpr Duration listen_again = 1s;
constexpr Duration answer_max = 10s;
constexpr Duration silence_max = 60s;
constexpr Duration look_every = 1s;
constexpr Duration write_max = 60s;  ///< For 64 KB: a recipient's disk may be slow.
constexpr std::size_t piece_size = std::size_t{64} << 10U;
constexpr std::size_t ahead_max = std::size_t{1} << 20U;

io::Reply refusal(unsigned status, std::string why)
{
    io::Reply reply;
    reply.status = status;
    reply.headers.set("Content-Type", "text/plain; charset=utf-8");
    if (status == 401) reply.headers.set("WWW-Authenticate", "Bearer");
    if (status == 503) reply.headers.set("Retry-After", "5");
    reply.body = std::move(why);
    return reply;
}

bool bears(const io::Request& request, const std::string& token)
{
    const std::string wanted = io::bearer_authorization(token);
    const std::string_view given = request.headers.find("Authorization");
    return !token.empty() && given.size() == wanted.size() &&
           ::CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
}

/// 0 when it says none.
Epoch epoch_of(const io::Request& request)
{
    constexpr std::string_view name = "epoch=";
    std::string_view query = request.query();
    if (!query.starts_with(name)) return {};
    query.remove_prefix(name.size());
    std::uint64_t epoch = 0;
    std::from_chars(query.data(), query.data() + query.size(), epoch);
    return Epoch{epoch};
}

/// As the local administrator, over the socket in the working directory. On a pool thread.
Outcome<Spawn> backup_program(const Donation& donation)
{
    const auto program = find_tool(donation.programs, Tool::backup);
    if (program.has_error()) return program.error();
    const auto user = local_user();
    if (user.has_error()) return user.error();
    Spawn spawn;
    spawn.arguments = {
        *program,
        "--no-defaults",
        "--backup",
        "--stream=mbstream",
        "--user=" + *user,
        "--socket=" + std::string{mysql::socket_name},
        "--datadir=" + donation.seen.data,
        "--target-dir=" + donation.seen.tmp};
    spawn.environment = bare_environment();
    spawn.mount = donation.mount;
    spawn.directory = donation.seen.data;
    return spawn;
}

}  // namespace

PeerServer::PeerServer(
    boost::asio::any_io_executor executor,
    io::Offload& offload,
    io::Tasks& tasks,
    std::uint32_t mb_per_second,
    Donor donor)
    : executor_{std::move(executor)},
      offload_{offload},
      tasks_{tasks},
      mb_per_second_{mb_per_second},
      donor_{std::move(donor)}
{}

PeerServer::~PeerServer() = default;

void PeerServer::begin(const wire::TaskData& data)
{
    if (data.peer_port == 0) return;
    io::HttpServerConfig config;
    // An agent on loopback serves this machine alone, and so do its members.
    config.address = data.ip.starts_with("127.") ? data.ip : "0.0.0.0";
    config.port = data.peer_port;
    config.write_timeout = write_max;
    constexpr std::size_t peers_max = 50;
    config.connections_max = peers_max;
    auto handler = [this](io::Request request) { return handle(std::move(request)); };
    server_ = std::make_unique<io::HttpServer>(executor_, std::move(config), std::move(handler));
    tasks_.spawn(serve());
}

io::Awaitable<void> PeerServer::serve()
{
    for (bool said = false;; said = true) {
        const ErrorCode error = server_->listen();
        if (!error) break;
        if (!said) {
            log::logger("peers")->error("peers: cannot listen why={}", error.message());
        }
        co_await io::sleep_until(Clock::now() + listen_again);
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return;
    }
    co_await server_->run();
}

io::Awaitable<io::Reply> PeerServer::handle(io::Request request)
{
    if (!bears(request, token_)) {
        log::logger("peers")->warn("peers: refused, wrong token peer={}", request.peer);
        co_return refusal(401, "the token is not this cluster's");
    }
    const bool is_backup = request.path() == backup_target;
    if (!is_backup && request.path() != member_target) co_return refusal(404, "no such thing");
    if (request.method != "GET") co_return refusal(405, "only GET");
    std::optional<Donation> donation = donor_();
    if (!donation || donation->epoch < epoch_of(request)) {
        co_return refusal(503, "this member is in no state to be copied");
    }
    if (!is_backup) co_return co_await tell(std::move(*donation));
    log::logger("peers")->info("peers: backup asked for peer={}", request.peer);
    co_return co_await back_up(std::move(*donation));
}

io::Awaitable<io::Reply> PeerServer::tell(Donation donation)
{
    auto work = [donation = std::move(donation)]() -> Outcome<PeerFacts> {
        const auto history = donation.control->history(Clock::now() + answer_max);
        if (history.has_error()) return history.error();
        return PeerFacts{
            std::string{mysql::name(donation.programs.flavor)},
            donation.programs.version,
            *history,
            size_of_tree(donation.directories.data)};
    };
    const Outcome<PeerFacts> facts = co_await offload_.run(std::move(work));
    if (facts.has_error()) co_return refusal(503, facts.error().text);
    io::Reply reply;
    reply.headers.set("Content-Type", "application/json");
    reply.body = print_peer_facts(*facts);
    co_return reply;
}

io::Awaitable<io::Reply> PeerServer::back_up(Donation donation)
{
    if (donation.programs.flavor != mysql::Flavor::mariadb) {
        co_return refusal(409, "MySQL servers copy each other by themselves");
    }
    if (backing_up_) co_return refusal(503, "another backup is being taken of this member");
    backing_up_ = true;
    io::Reply reply = co_await begin_backup(std::move(donation));
    if (reply.stream == nullptr) backing_up_ = false;
    co_return reply;
}

io::Awaitable<io::Reply> PeerServer::begin_backup(Donation donation)
{
    const std::string log_path = donation.log_path;
    auto work = [donation = std::move(donation)] { return backup_program(donation); };
    const Outcome<Spawn> order = co_await offload_.run(std::move(work));
    if (order.has_error()) co_return refusal(500, order.error().text);
    auto started = Child::start(executor_, *order, Child::Pipe::from_it, log_path);
    if (started.has_error()) co_return refusal(500, started.error().text);
    const std::shared_ptr<Child> backup = std::move(*started);
    heard_at_ = Clock::now();
    tasks_.spawn(watch(backup));
    // Its first word decides what is answered: a program that cannot begin says why.
    std::string first(piece_size, '\0');
    const auto size = co_await backup->read(first.data(), first.size());
    if (size.has_error() || *size == 0) {
        const Outcome<void> end = co_await backup->ended();
        const std::string why = end.has_error() ? end.error().text : "the backup is empty";
        co_return refusal(500, why);
    }
    first.resize(*size);
    io::Reply reply;
    reply.headers.set("Content-Type", "application/octet-stream");
    // It may be waiting for the server, with nothing to say that would fail to be passed on.
    auto on_closed = [left = std::weak_ptr<Child>{backup}](ErrorCode) {
        if (const auto child = left.lock()) child->kill();
    };
    reply.stream = io::StreamWriter::make(std::move(on_closed));
    tasks_.spawn(pump(backup, std::move(first), reply.stream));
    co_return reply;
}

io::Awaitable<void> PeerServer::watch(std::weak_ptr<Child> watched)
{
    for (;;) {
        co_await io::sleep_until(Clock::now() + look_every);
        const bool cancelled = co_await io::is_cancelled();
        const std::shared_ptr<Child> backup = watched.lock();
        if (cancelled || backup == nullptr) co_return;
        if (Clock::now() - heard_at_ < silence_max) continue;
        log::logger("peers")->error("peers: the backup waits for something: killed");
        backup->kill();
        co_return;
    }
}

io::Awaitable<void> PeerServer::pump(
    std::shared_ptr<Child> backup, std::string first, std::shared_ptr<io::StreamWriter> to)
{
    const bool whole = co_await pass_on(*backup, std::move(first), *to);
    if (whole) {
        to->close();
    } else {
        to->abort();
    }
    backing_up_ = false;
}

/// Whether all of it was passed on.
io::Awaitable<bool> PeerServer::pass_on(Child& backup, std::string piece, io::StreamWriter& to)
{
    const TimePoint began = Clock::now();
    std::uint64_t passed = 0;
    while (!piece.empty()) {
        passed += piece.size();
        to.write(piece);
        const bool there = co_await to.drained(ahead_max);
        if (!there) {
            log::logger("peers")->warn(
                "peers: the recipient of a backup has gone bytes={}", passed);
            co_return false;
        }
        if (mb_per_second_ > 0) {
            const std::uint64_t ms = passed * 1000 / (std::uint64_t{mb_per_second_} << 20U);
            co_await io::sleep_until(began + std::chrono::milliseconds{ms});
        }
        const bool cancelled = co_await io::is_cancelled();
        if (cancelled) co_return false;
        piece.resize(piece_size);
        heard_at_ = Clock::now();
        const auto size = co_await backup.read(piece.data(), piece.size());
        if (size.has_error()) co_return false;
        piece.resize(*size);
    }
    const Outcome<void> end = co_await backup.ended();
    if (end.has_error()) {
        log::logger("peers")->error("peers: backup failed why={}", end.error().text);
        co_return false;
    }
    log::logger("peers")->info("peers: backup sent bytes={}", passed);
    co_return true;
}

}  // namespace mysos::executor
