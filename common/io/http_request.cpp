#include "common/io/http_request.hpp"

#include "common/io/errc.hpp"

#include <algorithm>

namespace mysos::io {

std::string written(const Request& request, const Endpoint& to, std::string_view authorization)
{
    std::string message;
    message.reserve(512 + request.body.size());
    message.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
    append_field(message, "Host", to.authority());
    if (!authorization.empty()) append_field(message, "Authorization", authorization);
    for (const auto& [name, value] : request.headers) append_field(message, name, value);
    const bool has_body = !request.body.empty() || request.method == "POST" ||
                          request.method == "PUT" || request.method == "PATCH";
    if (has_body) append_field(message, "Content-Length", std::to_string(request.body.size()));
    message.append("\r\n").append(request.body);
    return message;
}

Result<Redirect> redirected(const Endpoint& from, std::string_view location)
{
    const bool is_clean =
        std::ranges::all_of(location, [](char c) { return c > ' ' && c != '\x7f'; });
    if (location.empty() || !is_clean) return Errc::redirect_refused;
    if (location.front() == '/' && !location.starts_with("//")) {
        return Redirect{from, std::string{location}};
    }

    Endpoint::Scheme scheme = from.scheme;
    if (location.starts_with("http://")) {
        scheme = Endpoint::Scheme::http;
        location.remove_prefix(5);
    } else if (location.starts_with("https://")) {
        scheme = Endpoint::Scheme::https;
        location.remove_prefix(6);
    }
    // Never to plain text from anything better: the request carries secrets.
    if (!location.starts_with("//") || from.scheme == Endpoint::Scheme::unix_socket ||
        (from.scheme == Endpoint::Scheme::https && scheme == Endpoint::Scheme::http)) {
        return Errc::redirect_refused;
    }
    location.remove_prefix(2);
    const std::size_t path = std::min(location.find_first_of("/?"), location.size());
    std::string authority{location.substr(0, path)};
    if (authority.rfind(':') == std::string::npos || authority.ends_with(']')) {
        authority.append(scheme == Endpoint::Scheme::https ? ":443" : ":80");
    }
    Result<Endpoint> endpoint = parse_endpoint(authority);
    if (endpoint.has_error()) return Errc::redirect_refused;
    endpoint->scheme = scheme;

    std::string target{location.substr(path)};
    if (!target.starts_with('/')) target.insert(target.begin(), '/');
    return Redirect{std::move(*endpoint), std::move(target)};
}

Result<std::optional<Tls>> tls_for(const Endpoint& to, const std::optional<Tls>& configured)
{
    if (to.scheme != Endpoint::Scheme::https || configured) return configured;
    const Result<Tls> made = Tls::client();
    if (made.has_error()) return made.error();
    return std::optional{*made};
}

}  // namespace mysos::io
