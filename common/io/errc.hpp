#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

#include <type_traits>

namespace mysos::io {

/// Why a peer could not be talked to. Errors of the operating system (connection refused, reset, …)
/// come as they are; `operation_aborted` means that we gave up ourselves. Each says what the caller
/// does next.
enum class Errc {
    address_malformed = 1,  ///< Not host:port. A person has to mend the configuration.
    name_not_found,         ///< No address for the host name. Try again later.
    timed_out,              ///< The peer did not answer in time. Its work may have been done.
    connection_lost,        ///< Ended before a whole answer. The peer's work may have been done.
    response_malformed,     ///< Not HTTP. Wrong port, or a broken peer: try another.
    response_too_long,      ///< Over our limit. Nothing of it was kept.
    redirect_refused,       ///< Location is missing, malformed, or leads from https to http.
    redirected_too_often,   ///< A circle of followers: no leader yet. Try again later.
    peer_not_verified,      ///< TLS: certificate or name do not hold. A person has to look.
    tls_failed,             ///< TLS handshake or stream failed otherwise.
    subscription_refused,   ///< The answer was not 200; it comes along. Try again later.
    not_subscribed,         ///< A call needs an open stream. Subscribe first.
    stream_ended,           ///< The peer ended the stream in order. Subscribe anew.
    stream_silent,          ///< Not even a heartbeat for too long. Subscribe anew.
    peer_too_slow,          ///< Does not read what we send. It was dropped and may come back.
    peer_out_of_turn,       ///< Sent more on a connection that is a stream. It was dropped.
    file_unreadable,        ///< A certificate or key file. A person has to look.
};

[[nodiscard]] const boost::system::error_category& category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(Errc e) noexcept
{
    return {static_cast<int>(e), category()};
}

}  // namespace mysos::io

template <>
struct boost::system::is_error_code_enum<mysos::io::Errc> : std::true_type {};
