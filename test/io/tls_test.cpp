#include "common/io/tls.hpp"

#include "common/io/errc.hpp"
#include "common/io/event_stream.hpp"
#include "common/io/http_client.hpp"
#include "common/io/http_server.hpp"
#include "test/io/certificates.hpp"
#include "test/io/loop.hpp"
#include "test/io/peer.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::test;
using namespace std::chrono_literals;
using io::Awaitable;
using io::Errc;
using io::HttpClient;
using io::HttpClientConfig;
using io::Reply;
using io::Request;
using io::Tls;

namespace {

Awaitable<Reply> echo(Request request)
{
    Reply reply{.body = request.body};
    if (request.target == "/stream") {
        reply.stream = io::StreamWriter::make([](ErrorCode) {});
        reply.stream->write_record("hello");
    }
    co_return reply;
}

struct Setup {
    explicit Setup(const std::string& certified_name)
        : server{loop.executor(), config(certified_name), echo}
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

    io::HttpServerConfig config(const std::string& name)
    {
        const auto files = authority.issue(name);
        return {.tls = Tls::server(files.certificate, files.key).value()};
    }
    [[nodiscard]] io::Endpoint endpoint(const std::string& host) const
    {
        return {.scheme = io::Endpoint::Scheme::https, .host = host, .port = server.port()};
    }
    Result<io::Response> ask(const std::string& host, const std::string& ca_file)
    {
        HttpClientConfig to{.endpoint = endpoint(host), .tls = Tls::client(ca_file).value()};
        HttpClient client{loop.executor(), to};
        Request request{.method = "POST", .body = std::string(100'000, 'x')};
        return loop.await(client.request(std::move(request), 60s));
    }

    Loop loop{};
    Certificates authority{};
    io::HttpServer server;
};

}  // namespace

TEST_CASE("tls: a certificate of our authority for the right name is trusted", "[tls]")
{
    for (const std::string name : {"localhost", "127.0.0.1"}) {
        DYNAMIC_SECTION(name)
        {
            Setup t{name};
            const auto answer = t.ask(name, t.authority.ca_file());
            REQUIRE(answer.has_value());
            CHECK(answer->body.size() == 100'000);
        }
    }
}

TEST_CASE("tls: another name or another authority is not", "[tls]")
{
    Setup t{"elsewhere.example"};
    CHECK(t.ask("localhost", t.authority.ca_file()).error() == Errc::peer_not_verified);
    CHECK(t.ask("127.0.0.1", t.authority.ca_file()).error() == Errc::peer_not_verified);

    Setup right{"localhost"};
    Certificates stranger;
    CHECK(right.ask("localhost", stranger.ca_file()).error() == Errc::peer_not_verified);
    CHECK(right.ask("localhost", "").error() == Errc::peer_not_verified);
}

TEST_CASE("tls: who is reached by address may be certified by another of its names", "[tls]")
{
    Setup t{"elsewhere.example"};
    const auto ask = [&](const std::vector<std::string>& names, const Tls& tls) {
        io::Endpoint endpoint = t.endpoint("127.0.0.1");
        endpoint.certified_as = names;
        HttpClientConfig to{.endpoint = endpoint, .tls = tls};
        HttpClient client{t.loop.executor(), to};
        return t.loop.await(client.request({}, 60s));
    };
    const Tls ours = Tls::client(t.authority.ca_file()).value();
    CHECK(ask({"elsewhere.example"}, ours).has_value());
    CHECK(ask({"127.0.0.1", "elsewhere.example"}, ours).has_value());
    CHECK(ask({"127.0.0.1", "nowhere.example"}, ours).error() == Errc::peer_not_verified);

    // A name does not make up for an authority.
    const Certificates stranger;
    const Tls theirs = Tls::client(stranger.ca_file()).value();
    CHECK(ask({"elsewhere.example"}, theirs).error() == Errc::peer_not_verified);
}

TEST_CASE("tls: who is told not to verify believes anybody", "[tls]")
{
    Setup t{"elsewhere.example"};
    HttpClientConfig to{.endpoint = t.endpoint("127.0.0.1"), .tls = Tls::unverified_client()};
    HttpClient client{t.loop.executor(), to};
    CHECK(t.loop.await(client.request({}, 60s)).has_value());
}

TEST_CASE("tls: authorities may be a directory", "[tls]")
{
    Setup t{"localhost"};
    const auto ask = [&](const std::string& directory) {
        HttpClientConfig to{
            .endpoint = t.endpoint("localhost"), .tls = Tls::client("", directory).value()};
        HttpClient client{t.loop.executor(), to};
        return t.loop.await(client.request({}, 60s));
    };
    CHECK(ask(t.authority.ca_directory()).has_value());
    CHECK(ask("/nowhere").error() == Errc::peer_not_verified);
}

TEST_CASE("tls: plain text on either side is an error, not a hang", "[tls]")
{
    Setup t{"localhost"};
    SECTION("a plain client")
    {
        HttpClientConfig to{.endpoint = {.host = "127.0.0.1", .port = t.server.port()}};
        HttpClient client{t.loop.executor(), to};
        const auto answer = t.loop.await(client.request({}, 60s));
        CHECK(answer.has_error());
    }
    SECTION("a plain server")
    {
        Listener listener{t.loop.executor()};
        io::Endpoint endpoint = listener.endpoint();
        endpoint.scheme = io::Endpoint::Scheme::https;
        HttpClientConfig to{.endpoint = endpoint};
        HttpClient client{t.loop.executor(), to};
        auto answer = t.loop.start(client.request({}, 60s));
        Peer peer = t.loop.await(listener.accept());
        t.loop.await(peer.send("HTTP/1.1 200 OK\r\n\r\n"));
        CHECK(answer.get().error() == Errc::tls_failed);
    }
    SECTION("a server that says nothing")
    {
        Listener listener{t.loop.executor()};
        io::Endpoint endpoint = listener.endpoint();
        endpoint.scheme = io::Endpoint::Scheme::https;
        HttpClientConfig to{.endpoint = endpoint};
        HttpClient client{t.loop.executor(), to};
        auto answer = t.loop.start(client.request({}, 50ms));
        const Peer peer = t.loop.await(listener.accept());
        CHECK(answer.get().error() == Errc::timed_out);
    }
}

TEST_CASE("tls: never a redirect from https to http", "[tls]")
{
    Setup t{"localhost"};
    io::HttpServer redirecting{
        t.loop.executor(), t.config("localhost"), [](Request) -> Awaitable<Reply> {
            Reply reply{.status = 307, .headers = {{"Location", "http://127.0.0.1:1/"}}};
            co_return reply;
        }};
    REQUIRE(redirecting.listen() == ErrorCode{});
    t.loop.start(redirecting.run());
    io::Endpoint endpoint = t.endpoint("localhost");
    endpoint.port = redirecting.port();
    HttpClientConfig to{.endpoint = endpoint, .tls = Tls::client(t.authority.ca_file()).value()};
    HttpClient client{t.loop.executor(), to};
    CHECK(t.loop.await(client.request({}, 60s)).error() == Errc::redirect_refused);
    redirecting.stop(0s);
    t.loop.cancel();
}

TEST_CASE("tls: a redirect without a scheme stays with https", "[tls]")
{
    Setup t{"localhost"};
    const std::string leader = "//localhost:" + std::to_string(t.server.port()) + "/elsewhere";
    io::HttpServer redirecting{
        t.loop.executor(), t.config("localhost"), [leader](Request) -> Awaitable<Reply> {
            Reply reply{.status = 307, .headers = {{"Location", leader}}};
            co_return reply;
        }};
    REQUIRE(redirecting.listen() == ErrorCode{});
    t.loop.start(redirecting.run());
    io::Endpoint endpoint = t.endpoint("127.0.0.1");
    endpoint.port = redirecting.port();
    endpoint.certified_as = {"localhost"};
    HttpClientConfig to{.endpoint = endpoint, .tls = Tls::client(t.authority.ca_file()).value()};
    HttpClient client{t.loop.executor(), to};
    Request request{.method = "POST", .body = "abc"};
    const auto answer = t.loop.await(client.request(std::move(request), 60s));
    CHECK(answer->body == "abc");

    io::EventStream stream{
        t.loop.executor(),
        {.subscribe_target = "/stream", .tls = Tls::client(t.authority.ca_file()).value()}};
    REQUIRE(t.loop.await(stream.subscribe(endpoint, "SUB")).has_value());
    CHECK(stream.endpoint().scheme == io::Endpoint::Scheme::https);
    CHECK(stream.endpoint().port == t.server.port());
    CHECK(stream.endpoint().host == "localhost");
    redirecting.stop(0s);
    t.loop.cancel();
}

TEST_CASE("tls: event streams and calls go through it", "[tls]")
{
    Setup t{"localhost"};
    io::EventStream stream{
        t.loop.executor(),
        {.subscribe_target = "/stream",
         .call_target = "/call",
         .tls = Tls::client(t.authority.ca_file()).value()}};
    const auto subscribed = t.loop.await(stream.subscribe(t.endpoint("localhost"), "SUB"));
    REQUIRE(subscribed.has_value());
    CHECK(*t.loop.await(stream.next()) == "hello");
    CHECK(t.loop.await(stream.call("abc"))->body == "abc");
    stream.set_silence_max(20ms);
    CHECK(t.loop.await(stream.next()).error() == Errc::stream_silent);
}

TEST_CASE("tls: files that cannot be used are an error at the start", "[tls]")
{
    Certificates a;
    const auto mine = a.issue("localhost");
    const auto other = a.issue("localhost");
    CHECK(Tls::client("/nowhere").error() == Errc::file_unreadable);
    CHECK(Tls::client(mine.key).error() == Errc::file_unreadable);
    CHECK(Tls::server("/nowhere", mine.key).error() == Errc::file_unreadable);
    CHECK(Tls::server(mine.certificate, "/nowhere").error() == Errc::file_unreadable);
    CHECK(Tls::server(mine.certificate, other.key).error() == Errc::file_unreadable);
}
