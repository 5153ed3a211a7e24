#include "common/io/response_stream.hpp"

#include "common/io/connection.hpp"
#include "common/io/errc.hpp"
#include "common/io/http_parser.hpp"
#include "common/io/http_request.hpp"

#include <boost/asio/error.hpp>

#include <utility>
#include <vector>

namespace mysos::io {
namespace {

constexpr std::size_t refusal_max = std::size_t{1} << 20U;
constexpr std::size_t piece_max = std::size_t{64} << 10U;

}  // namespace

ResponseStream::ResponseStream(asio::any_io_executor executor, ResponseStreamConfig config)
    : executor_{std::move(executor)}, config_{std::move(config)}
{}

ResponseStream::~ResponseStream() = default;

void ResponseStream::close()
{
    if (connection_ != nullptr) connection_->close();
}

Awaitable<Result<Response>> ResponseStream::open(Request request, TimePoint deadline)
{
    const Result<std::optional<Tls>> tls = tls_for(config_.endpoint, config_.tls);
    if (tls.has_error()) co_return tls.error();
    connection_ = Connection::make_client(executor_, config_.endpoint, *tls);
    const HttpParser::Limits limits{.body_max = std::nullopt};
    parser_ = std::make_unique<HttpParser>(HttpParser::Kind::response, limits);
    if (const ErrorCode ec = co_await connection_->open(deadline)) co_return ec;
    const std::string message = written(request, config_.endpoint, config_.authorization);
    if (const ErrorCode ec = co_await connection_->write(message, deadline)) co_return ec;
    while (!parser_->has_head()) {
        if (const ErrorCode ec = co_await receive(deadline)) co_return ec;
    }

    Response response{parser_->status(), parser_->headers(), {}};
    if (response.status == 200) {
        const bool ends_itself = response.headers.contains("Transfer-Encoding") ||
                                 response.headers.contains("Content-Length");
        if (!ends_itself) co_return Errc::response_malformed;
        co_return response;
    }
    response.body = parser_->take_body();
    while (!parser_->is_done()) {
        if (const ErrorCode ec = co_await receive(deadline)) co_return ec;
        response.body += parser_->take_body();
        if (response.body.size() > refusal_max) co_return Errc::response_too_long;
    }
    co_return response;
}

Awaitable<Result<std::string>> ResponseStream::next(TimePoint deadline)
{
    for (;;) {
        std::string piece = parser_->take_body();
        if (!piece.empty() || parser_->is_done()) co_return piece;
        if (const ErrorCode ec = co_await receive(deadline)) co_return ec;
    }
}

Awaitable<ErrorCode> ResponseStream::receive(TimePoint deadline)
{
    std::vector<char> bytes(piece_max);
    const Result<std::size_t> size =
        co_await connection_->read_some(bytes.data(), bytes.size(), deadline);
    if (size.has_value()) co_return parser_->feed({bytes.data(), *size});
    if (size.error() == asio::error::eof) co_return parser_->feed_end();
    co_return size.error();
}

}  // namespace mysos::io
