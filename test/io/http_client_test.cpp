#include "common/io/http_client.hpp"

#include "common/io/errc.hpp"
#include "test/io/loop.hpp"
#include "test/io/peer.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>

using namespace mysos;
using namespace mysos::test;
using namespace std::chrono_literals;
using io::Errc;
using io::HttpClient;
using io::HttpClientConfig;
using io::Request;

namespace {

struct Setup {
    Loop loop{};
    Listener listener{loop.executor()};
    HttpClientConfig config{.endpoint = listener.endpoint()};
    HttpClient client{loop.executor(), config};

    Setup() = default;
    ~Setup() { loop.cancel(); }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    auto ask(Request request = {}, Duration timeout = 60s)
    {
        return loop.start(client.request(std::move(request), timeout));
    }
    Peer accept() { return loop.await(listener.accept()); }
    /// Takes a request and gives `answer` to it.
    std::string serve(Peer& peer, std::string answer)
    {
        std::string request = loop.await(peer.read_until("\r\n\r\n"));
        loop.await(peer.send(std::move(answer)));
        return request;
    }
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

}  // namespace

TEST_CASE("http client: a request is written and its answer read", "[http]")
{
    Setup t;
    auto answer = t.ask({.target = "/a?b=c", .headers = {{"Accept", "text/plain"}}});
    Peer peer = t.accept();
    const std::string request = t.serve(peer, ok);
    CHECK(
        request == "GET /a?b=c HTTP/1.1\r\nHost: " + t.listener.endpoint().authority() +
                       "\r\nAccept: text/plain\r\n\r\n");
    REQUIRE(answer.get().has_value());
    CHECK(answer.get()->status == 200);
    CHECK(answer.get()->headers.find("content-length") == "2");
    CHECK(answer.get()->body == "hi");
}

TEST_CASE("http client: one connection is kept for many requests, in order", "[http]")
{
    Setup t;
    auto first = t.ask({.target = "/1"});
    auto second = t.ask({.target = "/2"});
    Peer peer = t.accept();
    CHECK(t.serve(peer, ok).starts_with("GET /1 "));
    CHECK(first.get().has_value());
    CHECK(t.serve(peer, ok).starts_with("GET /2 "));
    CHECK(second.get().has_value());
}

TEST_CASE("http client: a connection closed while idle is made anew, unseen", "[http]")
{
    Setup t;
    auto first = t.ask({.method = "POST"});
    Peer peer = t.accept();
    t.serve(peer, ok);
    REQUIRE(first.get().has_value());
    peer.close();

    auto second = t.ask({.method = "POST", .body = "x"});
    Peer again = t.accept();
    CHECK(t.serve(again, ok).find("Content-Length: 1\r\n") != std::string::npos);
    CHECK(second.get().has_value());
}

TEST_CASE("http client: each way to answer badly has its error", "[http]")
{
    struct Case {
        std::string name;
        std::string answer;
        Errc error;
    };
    const std::vector<Case> cases{
        {"nothing", "", Errc::connection_lost},
        {"half a head", "HTTP/1.1 200 OK\r\nContent-", Errc::connection_lost},
        {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", Errc::connection_lost},
        {"half a chunk",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
         Errc::connection_lost},
        {"no last chunk",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
         Errc::connection_lost},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", Errc::response_malformed},
        {"bad length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Errc::response_malformed},
        {"bad chunk",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         Errc::response_malformed},
        {"long head",
         "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n",
         Errc::response_too_long},
        {"long body",
         "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
         Errc::response_too_long},
        {"redirect to nowhere",
         "HTTP/1.1 307 x\r\nContent-Length: 0\r\n\r\n",
         Errc::redirect_refused},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Setup t;
            auto answer = t.ask({.method = "POST"});
            Peer peer = t.accept();
            t.serve(peer, c.answer);
            peer.close();
            REQUIRE(answer.get().has_error());
            CHECK(answer.get().error() == c.error);
        }
    }
}

TEST_CASE("http client: an answer may come in any pieces", "[http]")
{
    const std::string whole =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n";
    Setup t;
    auto answer = t.ask();
    Peer peer = t.accept();
    t.serve(peer, "");
    for (const char c : whole) {
        t.loop.await(peer.send(std::string{c}));
    }
    REQUIRE(answer.get().has_value());
    CHECK(answer.get()->body == "abcd");
}

TEST_CASE("http client: silence ends at the deadline, and the next request starts anew", "[http]")
{
    Setup t;
    auto answer = t.ask({}, 50ms);
    Peer peer = t.accept();
    CHECK(answer.get().error() == Errc::timed_out);
    auto next = t.ask();
    Peer again = t.accept();
    t.serve(again, ok);
    CHECK(next.get().has_value());
}

TEST_CASE("http client: a deadline counts while waiting for one's turn", "[http]")
{
    Setup t;
    auto first = t.ask({}, 60s);
    auto second = t.ask({}, 50ms);
    Peer peer = t.accept();
    CHECK(second.get().error() == Errc::timed_out);
    t.serve(peer, ok);
    CHECK(first.get().has_value());
}

TEST_CASE("http client: nobody listening is the system's error", "[http]")
{
    Setup t;
    t.listener.close();
    CHECK(t.ask().get().error() == boost::system::errc::connection_refused);
}

TEST_CASE("http client: cancelled and closed requests end as aborted", "[http]")
{
    Setup t;
    auto waiting = t.ask();
    auto queued = t.ask();
    Peer peer = t.accept();
    SECTION("cancelled")
    {
        t.loop.cancel();
    }
    SECTION("closed")
    {
        t.client.close();
    }
    CHECK(waiting.get().error() == boost::asio::error::operation_aborted);
    CHECK(queued.get().error() == boost::asio::error::operation_aborted);
}

TEST_CASE("http client: a redirect is followed with method, headers and body", "[http]")
{
    Setup t;
    Listener leader{t.loop.executor()};
    auto answer = t.ask({.method = "POST", .target = "/x", .body = "body"});
    Peer follower = t.accept();
    const std::string to = "//" + leader.endpoint().authority() + "/master/x?y";
    t.loop.await(follower.read_until("\r\n\r\nbody"));
    t.loop.await(follower.send(
        "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n"));
    Peer peer = t.loop.await(leader.accept());
    const std::string request = t.loop.await(peer.read_until("\r\n\r\nbody"));
    CHECK(request.starts_with("POST /master/x?y HTTP/1.1\r\n"));
    t.loop.await(peer.send(ok));
    CHECK(answer.get().has_value());
}

TEST_CASE("http client: a circle of redirects ends", "[http]")
{
    Setup t;
    auto answer = t.ask();
    Peer peer = t.accept();
    for (unsigned i = 0; i <= t.config.redirects_max; ++i) {
        t.serve(peer, "HTTP/1.1 307 x\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n");
    }
    CHECK(answer.get().error() == Errc::redirected_too_often);
}
