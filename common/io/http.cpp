#include "common/io/http.hpp"

#include "common/io/errc.hpp"
#include "common/wire/base64.hpp"

#include <algorithm>
#include <charconv>

namespace mysos::io {
namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool take_prefix(std::string_view& text, std::string_view prefix)
{
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool names_host(std::string_view host)
{
    // What could end the authority, or the request head it is written into.
    return !host.empty() && host.find_first_of(" \t\r\n/?#@\\[]") == std::string_view::npos;
}

}  // namespace

std::string_view Headers::find(std::string_view name) const
{
    const auto field =
        std::ranges::find_if(fields_, [&](const Field& f) { return same_name(f.first, name); });
    return field == fields_.end() ? std::string_view{} : std::string_view{field->second};
}

bool Headers::contains(std::string_view name) const
{
    return std::ranges::any_of(fields_, [&](const Field& f) { return same_name(f.first, name); });
}

void Headers::set(std::string_view name, std::string_view value)
{
    std::erase_if(fields_, [&](const Field& f) { return same_name(f.first, name); });
    add(name, value);
}

void Headers::add(std::string_view name, std::string_view value)
{
    fields_.emplace_back(std::string{name}, std::string{value});
}

std::string_view Request::path() const
{
    return std::string_view{target}.substr(0, target.find('?'));
}

std::string_view Request::query() const
{
    const std::size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view{}
                                     : std::string_view{target}.substr(mark + 1);
}

std::string Endpoint::authority() const
{
    if (scheme == Scheme::unix_socket) return "localhost";
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text)
{
    Endpoint endpoint;
    if (take_prefix(text, "unix:")) {
        if (text.empty()) return Errc::address_malformed;
        endpoint.scheme = Endpoint::Scheme::unix_socket;
        endpoint.host = text;
        return endpoint;
    }
    if (take_prefix(text, "https://")) {
        endpoint.scheme = Endpoint::Scheme::https;
    } else {
        take_prefix(text, "http://");
    }
    if (text.ends_with('/')) text.remove_suffix(1);

    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return Errc::address_malformed;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (bracketed != has_colon || !names_host(host)) return Errc::address_malformed;

    const auto [stop, ec] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (ec != std::errc{} || stop != port.data() + port.size() || endpoint.port == 0) {
        return Errc::address_malformed;
    }
    endpoint.host = host;
    return endpoint;
}

std::string basic_authorization(std::string_view principal, std::string_view secret)
{
    std::string pair{principal};
    pair.append(":").append(secret);
    return "Basic " + wire::encode_base64(pair);
}

std::string bearer_authorization(std::string_view token)
{
    return "Bearer " + std::string{token};
}

std::string_view reason_phrase(unsigned status)
{
    switch (status) {
        case 100: return "Continue";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        default: return "Status";
    }
}

void append_field(std::string& head, std::string_view name, std::string_view value)
{
    const auto append_clean = [&head](std::string_view text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            head.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
        }
    };
    append_clean(name);
    head.append(": ");
    append_clean(value);
    head.append("\r\n");
}

}  // namespace mysos::io
