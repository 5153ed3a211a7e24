#include "common/io/http_parser.hpp"

#include "common/io/errc.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <utility>

namespace mysos::io {

namespace http = boost::beast::http;

struct HttpParser::Impl {
    virtual ~Impl() = default;
    virtual ErrorCode feed(std::string_view bytes) = 0;
    virtual ErrorCode feed_end() = 0;
    [[nodiscard]] virtual bool has_head() const = 0;
    [[nodiscard]] virtual bool is_done() const = 0;
    [[nodiscard]] virtual bool keeps_alive() const = 0;
    [[nodiscard]] virtual unsigned status() const = 0;
    [[nodiscard]] virtual unsigned version() const = 0;
    [[nodiscard]] virtual std::string method() const = 0;
    [[nodiscard]] virtual std::string target() const = 0;
    [[nodiscard]] virtual Headers headers() const = 0;
    virtual std::string take_body() = 0;

    std::string pending;  ///< Bytes that the parser has not consumed yet.
    bool started = false;
    bool head_too_long = false;
    ErrorCode failed;
};

template <bool is_request>
struct HttpParser::Of final : HttpParser::Impl {
    using Parser = http::parser<is_request, http::string_body>;

    Of(Kind kind, Limits limits) : kind_{kind}, limits_{limits} { begin(); }

    void begin()
    {
        parser_.emplace();
        parser_->eager(true);
        parser_->header_limit(static_cast<std::uint32_t>(limits_.head_max));
        parser_->body_limit(boost::none);
        if (limits_.body_max) parser_->body_limit(*limits_.body_max);
        if (kind_ == Kind::response_to_head) parser_->skip(true);
    }

    ErrorCode feed(std::string_view bytes) override
    {
        if (failed) return failed;
        pending.append(bytes);
        started = started || !pending.empty();
        while (!pending.empty() && !parser_->is_done()) {
            ErrorCode ec;
            const std::size_t used = parser_->put(boost::asio::buffer(pending), ec);
            pending.erase(0, used);
            if (ec == http::error::need_more) {
                // Beast bounds heads and bodies, not what stands between two chunks.
                if (pending.size() > limits_.head_max) return failed = Errc::response_malformed;
                break;
            }
            if (ec) return failed = translated(ec);
            if (is_interim()) begin();
        }
        return {};
    }

    ErrorCode feed_end() override
    {
        if (failed) return failed;
        if (parser_->is_done()) return {};
        ErrorCode ec;
        if (parser_->got_some()) parser_->put_eof(ec);
        if (ec || !parser_->is_done()) return failed = Errc::connection_lost;
        return {};
    }

    ErrorCode translated(const ErrorCode& ec)
    {
        head_too_long = ec == http::error::header_limit;
        if (head_too_long || ec == http::error::body_limit) return Errc::response_too_long;
        return Errc::response_malformed;
    }

    [[nodiscard]] bool is_interim() const
    {
        if constexpr (is_request) {
            return false;
        } else {
            return parser_->is_done() && parser_->get().result_int() / 100 == 1;
        }
    }

    [[nodiscard]] bool has_head() const override { return parser_->is_header_done(); }
    [[nodiscard]] bool is_done() const override { return parser_->is_done(); }
    [[nodiscard]] bool keeps_alive() const override
    {
        return parser_->is_done() && parser_->keep_alive();
    }
    [[nodiscard]] unsigned version() const override { return parser_->get().version(); }

    [[nodiscard]] unsigned status() const override
    {
        if constexpr (is_request) {
            return 0;
        } else {
            return parser_->get().result_int();
        }
    }

    [[nodiscard]] std::string method() const override
    {
        if constexpr (is_request) {
            return std::string{parser_->get().method_string()};
        } else {
            return {};
        }
    }

    [[nodiscard]] std::string target() const override
    {
        if constexpr (is_request) {
            return std::string{parser_->get().target()};
        } else {
            return {};
        }
    }

    [[nodiscard]] Headers headers() const override
    {
        Headers headers;
        for (const auto& field : parser_->get()) {
            headers.add(std::string{field.name_string()}, std::string{field.value()});
        }
        return headers;
    }

    // The parser appends to this string, so it may be taken between two feeds.
    std::string take_body() override { return std::exchange(parser_->get().body(), {}); }

  private:
    Kind kind_;
    Limits limits_;
    std::optional<Parser> parser_;
};

HttpParser::HttpParser(Kind kind, Limits limits)
{
    if (kind == Kind::request) {
        impl_ = std::make_unique<Of<true>>(kind, limits);
    } else {
        impl_ = std::make_unique<Of<false>>(kind, limits);
    }
}

HttpParser::~HttpParser() = default;
HttpParser::HttpParser(HttpParser&&) noexcept = default;
HttpParser& HttpParser::operator=(HttpParser&&) noexcept = default;

ErrorCode HttpParser::feed(std::string_view bytes)
{
    return impl_->feed(bytes);
}

ErrorCode HttpParser::feed_end()
{
    return impl_->feed_end();
}

bool HttpParser::has_started() const
{
    return impl_->started;
}

bool HttpParser::has_head() const
{
    return impl_->has_head();
}

bool HttpParser::is_done() const
{
    return impl_->is_done();
}

bool HttpParser::keeps_alive() const
{
    return impl_->keeps_alive();
}

bool HttpParser::head_too_long() const
{
    return impl_->head_too_long;
}

unsigned HttpParser::status() const
{
    return impl_->status();
}

unsigned HttpParser::version() const
{
    return impl_->version();
}

std::string HttpParser::method() const
{
    return impl_->method();
}

std::string HttpParser::target() const
{
    return impl_->target();
}

Headers HttpParser::headers() const
{
    return impl_->headers();
}

std::string HttpParser::take_body()
{
    return impl_->take_body();
}

std::string HttpParser::take_rest()
{
    return std::exchange(impl_->pending, {});
}

}  // namespace mysos::io
