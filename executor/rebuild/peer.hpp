#pragma once

#include "common/base/failure.hpp"
#include "common/base/ids.hpp"
#include "common/io/response_stream.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// What one member's executor asks another's.
namespace mysos::executor {

/// Shape:  GET /peer/v1/member?epoch=N: a JSON object {"flavor","version","history","bytes"}.
struct PeerFacts {
    std::string flavor;
    std::string version;
    std::string history;      ///< ServerControl::history: what it holds.
    std::uint64_t bytes = 0;  ///< Of its data directory.
    friend bool operator==(const PeerFacts&, const PeerFacts&) = default;
};
[[nodiscard]] std::string print_peer_facts(const PeerFacts& facts);
[[nodiscard]] std::optional<PeerFacts> parse_peer_facts(std::string_view text);

inline constexpr const char* member_target = "/peer/v1/member";
inline constexpr const char* backup_target = "/peer/v1/backup";

struct Peer {
    std::string host;
    std::uint16_t port = 0;
    std::string token;  ///< Secret.
    Epoch epoch{};      ///< That it must take part in.
};

/// Errors: download_failed: the peer did not answer, or said no; the text has its words.
[[nodiscard]] io::Awaitable<Outcome<PeerFacts>> ask_member(
    boost::asio::any_io_executor executor, Peer peer);

/// A backup on its way: opened, and not yet read.
/// Errors: as ask_member.
[[nodiscard]] io::Awaitable<Outcome<std::shared_ptr<io::ResponseStream>>> open_backup(
    boost::asio::any_io_executor executor, Peer peer);

}  // namespace mysos::executor
