#pragma once

#include "common/io/http.hpp"
#include "common/io/tls.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What the client and the event stream both need to make a request and to follow it. Internal to
/// common/io.
namespace mysos::io {

/// The bytes of a request: the fields that are ours, then `request`'s.
[[nodiscard]] std::string written(
    const Request& request, const Endpoint& to, std::string_view authorization);

/// Where a redirect leads: a new place and target.
/// Shape:  Location as "//host:port/target", "http[s]://host[:port]/target" or "/target".
/// Errors: redirect_refused.
struct Redirect {
    Endpoint endpoint{};
    std::string target{};
};
[[nodiscard]] Result<Redirect> redirected(const Endpoint& from, std::string_view location);

/// The client's side of TLS for a place: the one configured, or the system's authorities.
///
[[nodiscard]] Result<std::optional<Tls>> tls_for(
    const Endpoint& to, const std::optional<Tls>& configured);

}  // namespace mysos::io
