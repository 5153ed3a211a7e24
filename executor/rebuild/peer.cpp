#include "executor/rebuild/peer.hpp"

#include "executor/install/installer.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace mysos::executor {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr Duration facts_max = 15s;
constexpr Duration backup_start_max = 60s;  ///< Its server is asked to begin.

template <class T>
const T* field(const json& object, const char* name)
{
    const auto found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<const T*>();
}

Failure failed(const Peer& peer, const std::string& why)
{
    return {
        InstallErrc::download_failed,
        "the donor at " + peer.host + ":" + std::to_string(peer.port) + ": " + why};
}

std::string target_of(const char* path, const Peer& peer)
{
    return std::string{path} + "?epoch=" + std::to_string(static_cast<std::uint64_t>(peer.epoch));
}

/// Of a refusal: its text, as a person may read it.
std::string words_of(const io::Response& response)
{
    const std::string status = std::to_string(response.status);
    return response.body.empty() ? "answered " + status : response.body + " (" + status + ")";
}

std::shared_ptr<io::ResponseStream> connect(boost::asio::any_io_executor executor, const Peer& peer)
{
    io::ResponseStreamConfig config;
    config.endpoint.host = peer.host;
    config.endpoint.port = peer.port;
    config.authorization = io::bearer_authorization(peer.token);
    return std::make_shared<io::ResponseStream>(std::move(executor), std::move(config));
}

}  // namespace

std::string print_peer_facts(const PeerFacts& facts)
{
    const json object{
        {"flavor", facts.flavor},
        {"version", facts.version},
        {"history", facts.history},
        {"bytes", facts.bytes}};
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<PeerFacts> parse_peer_facts(std::string_view text)
{
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) return std::nullopt;
    const auto* flavor = field<json::string_t>(object, "flavor");
    const auto* version = field<json::string_t>(object, "version");
    const auto* history = field<json::string_t>(object, "history");
    const auto* bytes = field<json::number_unsigned_t>(object, "bytes");
    if (flavor == nullptr || version == nullptr || history == nullptr || bytes == nullptr) {
        return std::nullopt;
    }
    return PeerFacts{*flavor, *version, *history, *bytes};
}

io::Awaitable<Outcome<PeerFacts>> ask_member(boost::asio::any_io_executor executor, Peer peer)
{
    const auto stream = connect(std::move(executor), peer);
    io::Request request;
    request.target = target_of(member_target, peer);
    const TimePoint deadline = Clock::now() + facts_max;
    const auto head = co_await stream->open(std::move(request), deadline);
    if (head.has_error()) co_return failed(peer, head.error().message());
    if (head->status != 200) co_return failed(peer, words_of(*head));
    std::string body;
    for (;;) {
        const auto piece = co_await stream->next(deadline);
        if (piece.has_error()) co_return failed(peer, piece.error().message());
        if (piece->empty()) break;
        body += *piece;
        constexpr std::size_t body_max = std::size_t{16} << 20U;
        if (body.size() > body_max) co_return failed(peer, "its answer has no end");
    }
    auto facts = parse_peer_facts(body);
    if (!facts) co_return failed(peer, "its answer cannot be read");
    co_return std::move(*facts);
}

io::Awaitable<Outcome<std::shared_ptr<io::ResponseStream>>> open_backup(
    boost::asio::any_io_executor executor, Peer peer)
{
    auto stream = connect(std::move(executor), peer);
    io::Request request;
    request.target = target_of(backup_target, peer);
    const auto head = co_await stream->open(std::move(request), Clock::now() + backup_start_max);
    if (head.has_error()) co_return failed(peer, head.error().message());
    if (head->status != 200) co_return failed(peer, words_of(*head));
    co_return stream;
}

}  // namespace mysos::executor
