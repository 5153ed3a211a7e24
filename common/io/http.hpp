#pragma once

#include "common/base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP/1.1 messages and addresses, as both the client and the server show them.
namespace mysos::io {

namespace asio = boost::asio;

template <class T>
using Awaitable = asio::awaitable<T>;

/// Header fields in wire order. Names compare without case, as RFC 9110 has it.
class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields) : fields_{fields} {}

    /// The first field of that name, or empty.
    [[nodiscard]] std::string_view find(std::string_view name) const;
    [[nodiscard]] bool contains(std::string_view name) const;
    /// Replaces all fields of that name.
    void set(std::string_view name, std::string_view value);
    void add(std::string_view name, std::string_view value);

    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    friend bool operator==(const Headers&, const Headers&) = default;

  private:
    std::vector<Field> fields_;
};

struct Request {
    std::string method = "GET";
    std::string target = "/";  ///< Path and query, as sent.
    Headers headers{};         ///< Host, Content-Length and Connection are the client's business.
    std::string body{};
    std::string peer{};  ///< Server only: the other side's "ip:port", for the log.

    [[nodiscard]] std::string_view path() const;   ///< Target without the query, still escaped.
    [[nodiscard]] std::string_view query() const;  ///< What follows '?', still escaped.
};

/// Where a peer listens.
struct Endpoint {
    enum class Scheme { http, https, unix_socket };
    Scheme scheme = Scheme::http;
    std::string host{};  ///< Name or address (IPv6 without brackets); of a unix socket its file.
    std::uint16_t port = 0;
    /// https: the certificate must bear one of these names or addresses. Empty: `host`.
    std::vector<std::string> certified_as{};

    [[nodiscard]] std::string authority() const;  ///< "host:port", what Host and a log say.
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Shape:  [http:// | https://] host ":" port [/]  or  unix:<file>. IPv6 in brackets.
/// Errors: address_malformed.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

/// Values of an Authorization header. Basic refuses nothing, but Mesos does not take a ':' in
/// either.
[[nodiscard]] std::string basic_authorization(std::string_view principal, std::string_view secret);
[[nodiscard]] std::string bearer_authorization(std::string_view token);

[[nodiscard]] std::string_view reason_phrase(unsigned status);

/// Appends "name: value CR LF". Control characters become spaces: nothing can end the field early.
void append_field(std::string& head, std::string_view name, std::string_view value);

}  // namespace mysos::io
