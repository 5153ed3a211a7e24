#include "test/conformance/http.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mysos::conformance {
namespace {

namespace http = boost::beast::http;
using namespace std::chrono_literals;

constexpr auto answer_within = 20s;

int connect_to(const Address& address)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.port);
    if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) {
        throw Failed("cannot resolve " + address.host);
    }
    int connected = -1;
    for (const addrinfo* one = found; one != nullptr && connected < 0; one = one->ai_next) {
        const int fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
        if (fd < 0) continue;
        if (::connect(fd, one->ai_addr, one->ai_addrlen) == 0) {
            connected = fd;
        } else {
            ::close(fd);
        }
    }
    ::freeaddrinfo(found);
    if (connected < 0) throw Failed("cannot connect to " + address.text());
    return connected;
}

std::string lower(std::string_view text)
{
    std::string out{text};
    std::ranges::transform(
        out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

template <class Parser>
Response head_of(const Parser& parser)
{
    Response response;
    response.status = static_cast<int>(parser.get().result_int());
    for (const auto& field : parser.get()) {
        response.headers[lower(std::string{field.name_string()})] = std::string{field.value()};
    }
    return response;
}

}  // namespace

Deadline in(std::chrono::milliseconds wait)
{
    return std::chrono::steady_clock::now() + wait;
}

std::string Response::header(const std::string& name) const
{
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
}

Connection::Connection(const Address& address) : address_{address}, socket_{connect_to(address)} {}

Connection::~Connection()
{
    close();
}

void Connection::close()
{
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
}

void Connection::send(std::string_view bytes) const
{
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) throw Failed(address_.text() + " closed the connection");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void Connection::send(const Request& request) const
{
    std::string text = request.method + " " + request.path + " HTTP/1.1\r\n";
    text += "Host: " + address_.text() + "\r\n";
    for (const auto& [name, value] : request.headers) {
        text.append(name).append(": ").append(value).append("\r\n");
    }
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
    send(text);
}

Connection::Got Connection::receive(Deadline deadline)
{
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{socket_, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready <= 0) return Got::nothing;
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return Got::end;
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    return Got::bytes;
}

std::optional<std::string> Connection::read_raw(Deadline deadline)
{
    if (buffer_.empty() && receive(deadline) == Got::end) return std::nullopt;
    return std::exchange(buffer_, {});
}

Connection::Got Connection::advance(Deadline deadline)
{
    boost::system::error_code ec;
    if (!buffer_.empty()) {
        const std::size_t used = parser_->put(boost::asio::buffer(buffer_), ec);
        buffer_.erase(0, used);
        if (ec && ec != http::error::need_more) throw Failed("not HTTP: " + ec.message());
        if (used > 0) return Got::bytes;
    }
    const Got got = receive(deadline);
    if (got == Got::end && parser_->got_some()) parser_->put_eof(ec);
    return got;
}

Response Connection::read_head(Deadline deadline)
{
    parser_.emplace();
    parser_->eager(true);
    parser_->body_limit(boost::none);
    while (!parser_->is_header_done()) {
        const Got got = advance(deadline);
        if (got == Got::end) throw Failed(address_.text() + " closed without an answer");
        if (got == Got::nothing) throw Failed("no answer in time");
    }
    return head_of(*parser_);
}

std::optional<std::string> Connection::read_body(Deadline deadline)
{
    std::string& body = parser_->get().body();
    while (body.empty()) {
        if (parser_->is_done()) return std::nullopt;
        const Got got = advance(deadline);
        if (got == Got::end && body.empty()) return std::nullopt;
        if (got == Got::nothing) return std::string{};
    }
    return std::exchange(body, {});
}

Response Connection::read(Deadline deadline)
{
    Response response = read_head(deadline);
    while (!parser_->is_done()) {
        const Got got = advance(deadline);
        if (got == Got::end) break;
        if (got == Got::nothing) throw Failed("no whole answer in time");
    }
    response.body = parser_->get().body();
    return response;
}

Response fetch(const Address& address, const Request& request)
{
    Connection connection{address};
    connection.send(request);
    return connection.read(in(answer_within));
}

RecordStream::RecordStream(const Address& address, const Request& request) : connection_{address}
{
    connection_.send(request);
    head_ = connection_.read_head(in(answer_within));
}

std::optional<std::string> RecordStream::next(Deadline deadline)
{
    while (records_.empty()) {
        const std::optional<std::string> bytes = connection_.read_body(deadline);
        if (!bytes) ended_ = true;
        if (!bytes || bytes->empty()) return std::nullopt;
        const auto decoded = decoder_.feed(*bytes);
        if (decoded.has_error()) throw Failed("the stream is broken: " + decoded.error().message());
        records_.insert(records_.end(), decoded->begin(), decoded->end());
    }
    std::string first = std::move(records_.front());
    records_.pop_front();
    return first;
}

}  // namespace mysos::conformance
