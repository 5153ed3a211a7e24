#pragma once

#include "common/io/http.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mysos::io {

/// Reads one HTTP message out of bytes as they come. Internal to common/io.
///
/// Shape:  HTTP/1.x; Content-Length, chunked, or (responses) up to the end of the connection.
/// Interim
///         1xx answers are passed over. Chunks may split it anywhere; bytes behind its end are
///         kept.
/// Units:  bytes. `body_max` unset: an endless body, whose owner calls take_body() in time.
/// Errors: response_malformed (of a request too), response_too_long; then head_too_long() tells
///         which part it was. A fault is final.
class HttpParser {
  public:
    enum class Kind { request, response, response_to_head };

    struct Limits {
        std::size_t head_max = std::size_t{64} << 10U;
        std::optional<std::size_t> body_max;
    };

    HttpParser(Kind kind, Limits limits);
    ~HttpParser();
    HttpParser(HttpParser&&) noexcept;
    HttpParser& operator=(HttpParser&&) noexcept;
    HttpParser(const HttpParser&) = delete;
    HttpParser& operator=(const HttpParser&) = delete;

    [[nodiscard]] ErrorCode feed(std::string_view bytes);
    /// The connection has ended in order. Errors: connection_lost, unless that ends the message.
    [[nodiscard]] ErrorCode feed_end();

    [[nodiscard]] bool has_started() const;  ///< Some byte of it has come.
    [[nodiscard]] bool has_head() const;
    [[nodiscard]] bool is_done() const;
    [[nodiscard]] bool keeps_alive() const;  ///< The connection can serve another message.
    [[nodiscard]] bool head_too_long() const;

    [[nodiscard]] unsigned status() const;
    [[nodiscard]] unsigned version() const;  ///< 10, 11
    [[nodiscard]] std::string method() const;
    [[nodiscard]] std::string target() const;
    [[nodiscard]] Headers headers() const;
    [[nodiscard]] std::string take_body();
    /// What came behind the end: the beginning of the next message.
    [[nodiscard]] std::string take_rest();

  private:
    struct Impl;
    template <bool is_request>
    struct Of;

    std::unique_ptr<Impl> impl_;
};

}  // namespace mysos::io
