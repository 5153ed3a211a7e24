#include "common/io/http_server.hpp"

#include "common/io/errc.hpp"
#include "common/io/http_client.hpp"
#include "test/io/loop.hpp"
#include "test/io/peer.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace mysos;
using namespace mysos::test;
using namespace std::chrono_literals;
using io::Awaitable;
using io::Errc;
using io::HttpServerConfig;
using io::Reply;
using io::Request;
using io::StreamWriter;

namespace {

/// A server that remembers what it was asked, and gives the same answer to all.
struct Setup {
    explicit Setup(HttpServerConfig config = {})
        : server{loop.executor(), std::move(config), [this](Request r) {
                     return answer(std::move(r));
                 }}
    {
        REQUIRE(server.listen() == ErrorCode{});
        loop.start(server.run());
    }
    ~Setup()
    {
        server.stop(0s);
        loop.cancel();
    }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    Awaitable<Reply> answer(Request request)
    {
        seen.push_back(std::move(request));
        const bool wait = seen.back().target == "/wait";
        bool cancelled = false;
        while (wait && !released && !cancelled) {
            co_await io::sleep_until(Clock::now() + 1ms);
            cancelled = co_await io::is_cancelled();
        }
        co_return reply;
    }

    Peer connect() { return loop.await(test::connect(server.port())); }
    std::string ask(Peer& peer, std::string text, std::string until = "\r\n\r\nfine")
    {
        loop.await(peer.send(std::move(text)));
        return loop.await(peer.read_until(std::move(until)));
    }
    /// All that the server says until it closes.
    std::string ask_all(std::string text)
    {
        Peer peer = connect();
        loop.await(peer.send(std::move(text)));
        return loop.await(peer.read_all());
    }

    Loop loop{};
    std::vector<Request> seen{};
    bool released = false;
    Reply reply{.headers = {{"X-Y", "z"}}, .body = "fine"};
    io::HttpServer server;
};

const std::string get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";

/// A handler's stream and what it was told at the end.
struct Stream {
    explicit Stream(std::size_t backlog_max = 1 << 20)
        : writer{StreamWriter::make([this](ErrorCode ec) { ended.push_back(ec); }, backlog_max)}
    {}
    std::vector<ErrorCode> ended{};
    std::shared_ptr<StreamWriter> writer;
};

}  // namespace

TEST_CASE("http server: a request reaches the handler and its reply the client", "[http]")
{
    Setup t;
    Peer peer = t.connect();
    const std::string answer =
        t.ask(peer, "POST /a?b=c HTTP/1.1\r\nHost: h\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "));
    CHECK(answer.ends_with(" GMT\r\nX-Y: z\r\nContent-Length: 4\r\n\r\nfine"));
    REQUIRE(t.seen.size() == 1);
    CHECK(t.seen[0].method == "POST");
    CHECK(t.seen[0].path() == "/a");
    CHECK(t.seen[0].query() == "b=c");
    CHECK(t.seen[0].headers.find("x") == "1");
    CHECK(t.seen[0].body == "abc");
    CHECK(t.seen[0].peer.starts_with("127.0.0.1:"));
}

TEST_CASE("http server: requests follow each other on a connection, in any pieces", "[http]")
{
    Setup t;
    Peer peer = t.connect();
    const std::string chunked =
        "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    const std::string two = get + chunked;
    SECTION("pipelined")
    {
        t.loop.await(peer.send(two));
    }
    SECTION("byte by byte")
    {
        for (const char c : two) t.loop.await(peer.send(std::string{c}));
    }
    t.loop.await(peer.read_until("fine"));
    t.loop.await(peer.read_until("fine"));
    REQUIRE(t.seen.size() == 2);
    CHECK(t.seen[1].body == "ab");
}

TEST_CASE("http server: what is wrong is refused and the connection closed", "[http]")
{
    struct Case {
        std::string name;
        std::string request;
        std::string status;
    };
    const std::vector<Case> cases{
        {"not HTTP", "hello\r\n\r\n", "400 Bad Request"},
        {"bad length", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400 Bad Request"},
        {"two lengths",
         "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
         "400 Bad Request"},
        {"head too long",
         "GET / HTTP/1.1\r\nX: " + std::string(66'000, 'x') + "\r\n\r\n",
         "431 Request Header Fields Too Large"},
        {"body too long", "PUT / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "413 Content Too Large"},
        {"body too long in chunks",
         "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x'),
         "413 Content Too Large"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Setup t{{.body_max = 100}};
            Peer peer = t.connect();
            t.loop.await(peer.send(c.request));
            const std::string answer = t.loop.await(peer.read_until("}\n"));
            CHECK(answer.starts_with("HTTP/1.1 " + c.status + "\r\n"));
            CHECK(answer.find("Connection: close\r\n") != std::string::npos);
            peer.socket().shutdown(boost::asio::socket_base::shutdown_send);
            CHECK(t.loop.await(peer.read_all()).empty());
            CHECK(t.seen.empty());
        }
    }
}

TEST_CASE("http server: a client with too much to say still hears why it is refused", "[http]")
{
    Setup t{{.body_max = 100}};
    io::HttpClientConfig to{.endpoint = {.host = "127.0.0.1", .port = t.server.port()}};
    io::HttpClient client{t.loop.executor(), to};
    Request request{.method = "POST", .body = std::string(5'000'000, 'x')};
    const auto answer = t.loop.await(client.request(std::move(request), 60s));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 413);
}

TEST_CASE("http server: a slow client is told so, and no other waits for it", "[http]")
{
    Setup t{{.idle_timeout = 60s, .request_timeout = 200ms}};
    Peer slow = t.connect();
    t.loop.await(slow.send("GET / HTTP/1.1\r\nHost:"));
    Peer other = t.connect();
    CHECK(t.ask(other, get).ends_with("fine"));
    CHECK(t.loop.await(slow.read_until("}\n")).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_CASE("http server: an idle connection is closed without a word", "[http]")
{
    Setup t{{.idle_timeout = 50ms}};
    Peer peer = t.connect();
    CHECK(t.ask(peer, get).ends_with("fine"));
    CHECK(t.loop.await(peer.read_all()).empty());
}

TEST_CASE("http server: HTTP/1.0, HEAD, 204 and 100-continue are answered as they must", "[http]")
{
    Setup t;
    SECTION("1.0 closes")
    {
        const std::string answer = t.ask_all("GET / HTTP/1.0\r\n\r\n");
        CHECK(answer.ends_with("Content-Length: 4\r\nConnection: close\r\n\r\nfine"));
    }
    SECTION("close is honoured")
    {
        CHECK(t.ask_all("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").ends_with("fine"));
    }
    SECTION("HEAD has no body")
    {
        Peer peer = t.connect();
        const std::string answer = t.ask(peer, "HEAD / HTTP/1.1\r\n\r\n", "\r\n\r\n");
        CHECK(answer.ends_with("Content-Length: 4\r\n\r\n"));
        CHECK(t.ask(peer, get).starts_with("HTTP/1.1 200"));
    }
    SECTION("204 has no length")
    {
        t.reply = {.status = 204};
        Peer peer = t.connect();
        CHECK(t.ask(peer, get, "\r\n\r\n").find("Content-Length") == std::string::npos);
    }
    SECTION("continue")
    {
        Peer peer = t.connect();
        const std::string head =
            "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        CHECK(t.ask(peer, head, "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
        CHECK(t.ask(peer, "ab").starts_with("HTTP/1.1 200 OK"));
        CHECK(t.seen.at(0).body == "ab");
    }
    SECTION("a reply cannot smuggle a field")
    {
        t.reply.headers.set("X-Y", "a\r\nSet-Cookie: b");
        Peer peer = t.connect();
        CHECK(t.ask(peer, get).find("X-Y: a  Set-Cookie: b\r\n") != std::string::npos);
    }
}

TEST_CASE("http server: more connections than allowed are closed", "[http]")
{
    Setup t{{.connections_max = 1}};
    Peer first = t.connect();
    CHECK(t.ask(first, get).ends_with("fine"));
    Peer second = t.connect();
    CHECK(t.loop.await(second.read_all()).empty());
    CHECK(t.ask(first, get).ends_with("fine"));
}

TEST_CASE("http server: an address in use is the system's error", "[http]")
{
    Setup t;
    io::HttpServer other{t.loop.executor(), {.port = t.server.port()}, {}};
    CHECK(other.listen() == boost::system::errc::address_in_use);
    io::HttpServer nowhere{t.loop.executor(), {.address = "x y"}, {}};
    CHECK(nowhere.listen() == Errc::address_malformed);
}

TEST_CASE("http server: stopping lets requests finish, and ends streams in order", "[http]")
{
    Setup t;
    Stream stream;
    Peer idle = t.connect();
    t.ask(idle, get);
    t.reply = {.stream = stream.writer};
    Peer streaming = t.connect();
    t.ask(streaming, get, "\r\n\r\n");
    t.reply = {.body = "late"};
    Peer waiting = t.connect();
    t.loop.await(waiting.send("GET /wait HTTP/1.1\r\n\r\n"));
    t.loop.run_until([&] { return t.seen.size() == 3; });

    SECTION("in time")
    {
        t.server.stop(60s);
        CHECK(t.loop.await(idle.read_all()).empty());
        CHECK(t.loop.await(streaming.read_until("0\r\n\r\n")) == "0\r\n\r\n");
        streaming.close();
        t.released = true;
        CHECK(t.loop.await(waiting.read_until("late")).ends_with("late"));
        CHECK(stream.ended == std::vector{ErrorCode{}});
    }
    SECTION("out of time")
    {
        t.server.stop(50ms);
        CHECK(t.loop.await(waiting.read_all()).empty());
    }
}

TEST_CASE("http server: a stream carries what is written, chunk by chunk", "[http]")
{
    Setup t;
    Stream stream;
    t.reply = {.headers = {{"Mysos-Stream-Id", "1"}}, .stream = stream.writer};
    CHECK(stream.writer->write("early"));
    Peer peer = t.connect();
    const std::string head = t.ask(peer, get, "\r\n\r\n5\r\nearly\r\n");
    CHECK(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(head.find("Mysos-Stream-Id: 1\r\n") != std::string::npos);
    CHECK(stream.writer->write_record("0123456789"));
    CHECK(t.loop.await(peer.read_until("9\r\n")) == "d\r\n10\n0123456789\r\n");
    CHECK(stream.writer->write(""));
    CHECK(stream.ended.empty());
    stream.writer->close();
    CHECK(!stream.writer->is_open());
    CHECK(!stream.writer->write("late"));
    CHECK(t.loop.await(peer.read_until("0\r\n\r\n")) == "0\r\n\r\n");
    t.loop.run_until([&] { return !stream.ended.empty(); });
    CHECK(stream.ended == std::vector{ErrorCode{}});
}

TEST_CASE("http server: the end of a stream is told once, with its reason", "[http]")
{
    Setup t{{.write_timeout = 60s}};
    Stream stream{1000};
    t.reply = {.stream = stream.writer};
    Peer peer = t.connect();
    t.ask(peer, get, "\r\n\r\n");
    ErrorCode reason;
    SECTION("the peer goes")
    {
        peer.close();
        reason = Errc::connection_lost;
    }
    SECTION("the peer resets")
    {
        peer.reset();
        reason = Errc::connection_lost;
    }
    SECTION("the peer talks")
    {
        t.loop.await(peer.send(get));
        reason = Errc::peer_out_of_turn;
    }
    SECTION("we abort")
    {
        stream.writer->abort();
        reason = boost::asio::error::operation_aborted;
    }
    SECTION("too much at once")
    {
        CHECK(!stream.writer->write(std::string(1001, 'x')));
        CHECK(stream.ended.empty());
        reason = Errc::peer_too_slow;
    }
    t.loop.run_until([&] { return !stream.ended.empty(); });
    CHECK(stream.ended == std::vector{reason});
    CHECK(!stream.writer->is_open());
    CHECK(!stream.writer->write("x"));
}

TEST_CASE("http server: a peer that does not read is dropped, whatever bound it meets", "[http]")
{
    // More than the system's buffers take.
    constexpr std::size_t much = std::size_t{64} << 20U;
    SECTION("the backlog")
    {
        Setup t{{.write_timeout = 60s}};
        Stream stream{much};
        t.reply = {.stream = stream.writer};
        Peer peer = t.connect();
        t.ask(peer, get, "\r\n\r\n");
        const std::string megabyte(std::size_t{1} << 20U, 'x');
        std::size_t written = 0;
        while (stream.writer->write(megabyte)) {
            ++written;
            REQUIRE(written < 1000);
            t.loop.run_until([] { return true; });
        }
        t.loop.run_until([&] { return !stream.ended.empty(); });
        CHECK(stream.ended == std::vector{make_error_code(Errc::peer_too_slow)});
    }
    SECTION("the time")
    {
        Setup t{{.write_timeout = 50ms}};
        Stream stream{much * 2};
        t.reply = {.stream = stream.writer};
        Peer peer = t.connect();
        t.ask(peer, get, "\r\n\r\n");
        CHECK(stream.writer->write(std::string(much, 'x')));
        t.loop.run_until([&] { return !stream.ended.empty(); });
        CHECK(stream.ended == std::vector{make_error_code(Errc::peer_too_slow)});
    }
}
