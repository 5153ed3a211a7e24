#include "common/io/event_stream.hpp"

#include "common/io/errc.hpp"
#include "common/wire/errc.hpp"
#include "test/io/loop.hpp"
#include "test/io/peer.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::test;
using namespace std::chrono_literals;
using io::Errc;
using io::EventStream;
using io::EventStreamConfig;
using io::Response;

namespace {

const std::string head =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: s-1\r\n\r\n";
const std::string accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

std::string chunk(const std::string& bytes)
{
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx", bytes.size());
    return size.data() + ("\r\n" + bytes) + "\r\n";
}

struct Setup {
    Loop loop{};
    Listener listener{loop.executor()};
    EventStreamConfig config{
        .subscribe_target = "/api/v1/scheduler",
        .call_target = "/api/v1/call",
        .stream_id_header = "Mesos-Stream-Id",
        .authorization = io::basic_authorization("p", "s"),
        .record_max = 100};
    EventStream stream{loop.executor(), config};

    Setup() = default;
    ~Setup() { loop.cancel(); }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    Peer accept() { return loop.await(listener.accept()); }
    /// Subscribes; the peer answers `answer` at once.
    Peer open(const std::string& answer)
    {
        auto subscribed = loop.start(stream.subscribe(listener.endpoint(), "SUB"));
        Peer peer = accept();
        request = loop.await(peer.read_until("\r\n\r\nSUB"));
        loop.await(peer.send(answer));
        REQUIRE(subscribed.get().has_value());
        CHECK(subscribed.get()->headers.find("mesos-stream-id") == "s-1");
        return peer;
    }
    std::string request{};
};

}  // namespace

TEST_CASE("event stream: subscribing is one POST, and its answer a stream", "[stream]")
{
    Setup t;
    Peer peer = t.open(head + chunk("5\nhello0\n2\nhi"));
    CHECK(
        t.request ==
        "POST /api/v1/scheduler HTTP/1.1\r\nHost: " + t.listener.endpoint().authority() +
            "\r\nAuthorization: Basic cDpz\r\nContent-Type: application/x-protobuf\r\n"
            "Accept: application/x-protobuf\r\nContent-Length: 3\r\n\r\nSUB");
    CHECK(t.stream.is_open());
    CHECK(t.stream.stream_id() == "s-1");
    CHECK(*t.loop.await(t.stream.next()) == "hello");
    CHECK(t.loop.await(t.stream.next())->empty());
    CHECK(*t.loop.await(t.stream.next()) == "hi");
}

TEST_CASE("event stream: records and chunks need not agree", "[stream]")
{
    Setup t;
    Peer peer = t.open(head);
    const std::string bytes = "5\nhello11\nhello world";
    SECTION("a chunk for each byte")
    {
        for (const char c : bytes) t.loop.await(peer.send(chunk(std::string{c})));
    }
    SECTION("a packet for each byte of one chunk")
    {
        for (const char c : chunk(bytes)) t.loop.await(peer.send(std::string{c}));
    }
    CHECK(*t.loop.await(t.stream.next()) == "hello");
    CHECK(*t.loop.await(t.stream.next()) == "hello world");
}

TEST_CASE("event stream: each end has its reason, after the records before it", "[stream]")
{
    struct Case {
        std::string name;
        std::string bytes;
        ErrorCode reason;
    };
    const std::vector<Case> cases{
        {"in order", chunk("2\nhi") + "0\r\n\r\n", Errc::stream_ended},
        {"cut between records", chunk("2\nhi"), Errc::connection_lost},
        {"cut in a record", chunk("2\nhi5\nhe"), Errc::connection_lost},
        {"cut in a chunk", "9\r\n2\nhi5", Errc::connection_lost},
        {"not a length", chunk("2\nhix\n"), wire::Errc::record_length_malformed},
        {"record too long", chunk("2\nhi101\n"), wire::Errc::record_too_long},
        {"not a chunk", chunk("2\nhi") + "zz\r\n", Errc::response_malformed},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Setup t;
            Peer peer = t.open(head + c.bytes);
            peer.close();
            CHECK(*t.loop.await(t.stream.next()) == "hi");
            CHECK(t.loop.await(t.stream.next()).error() == c.reason);
            CHECK(!t.stream.is_open());
            CHECK(t.loop.await(t.stream.next()).error() == Errc::not_subscribed);
            CHECK(t.loop.await(t.stream.call("x")).error() == Errc::not_subscribed);
        }
    }
}

TEST_CASE("event stream: silence beyond the limit ends it, a heartbeat does not", "[stream]")
{
    Setup t;
    Peer peer = t.open(head);
    t.stream.set_silence_max(10s);
    t.loop.await(peer.send(chunk("2\nhb")));
    CHECK(*t.loop.await(t.stream.next()) == "hb");
    t.stream.set_silence_max(50ms);
    // Bytes that complete no record are no sign of life.
    t.loop.await(peer.send(chunk("9\nh")));
    CHECK(t.loop.await(t.stream.next()).error() == Errc::stream_silent);
    CHECK(t.loop.await(peer.read_all()).empty());
}

TEST_CASE("event stream: close and cancellation end a wait as aborted", "[stream]")
{
    Setup t;
    Peer peer = t.open(head);
    auto next = t.loop.start(t.stream.next());
    SECTION("close")
    {
        t.stream.close();
    }
    SECTION("cancel")
    {
        t.loop.cancel();
    }
    CHECK(next.get().error() == boost::asio::error::operation_aborted);
    CHECK(!t.stream.is_open());
}

TEST_CASE("event stream: calls go over a connection of their own, in order", "[stream]")
{
    Setup t;
    Peer events = t.open(head);
    auto first = t.loop.start(t.stream.call("ONE"));
    auto second = t.loop.start(t.stream.call("TWO"));
    Peer calls = t.accept();
    const std::string request = t.loop.await(calls.read_until("\r\n\r\nONE"));
    CHECK(request.starts_with("POST /api/v1/call HTTP/1.1\r\n"));
    CHECK(request.find("\r\nAuthorization: Basic cDpz\r\n") != std::string::npos);
    CHECK(request.find("\r\nMesos-Stream-Id: s-1\r\n") != std::string::npos);
    t.loop.await(calls.send(accepted));
    CHECK(first.get()->status == 202);
    CHECK(t.loop.await(calls.read_until("\r\n\r\nTWO")).starts_with("POST "));
    t.loop.await(calls.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
    CHECK(second.get()->status == 403);
    CHECK(second.get()->body == "no");

    // Nothing was ever sent into the stream.
    t.stream.close();
    CHECK(t.loop.await(events.read_all()).empty());
}

TEST_CASE("event stream: a follower's redirect is followed, and calls stay there", "[stream]")
{
    Setup t;
    Listener leader{t.loop.executor()};
    auto subscribed = t.loop.start(t.stream.subscribe(t.listener.endpoint(), "SUB"));
    Peer follower = t.accept();
    t.loop.await(follower.read_until("SUB"));
    t.loop.await(follower.send(
        "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: //" +
        leader.endpoint().authority() + "/master/api/v1/scheduler\r\n\r\n"));
    Peer peer = t.loop.await(leader.accept());
    const std::string request = t.loop.await(peer.read_until("SUB"));
    CHECK(request.starts_with("POST /master/api/v1/scheduler HTTP/1.1\r\n"));
    CHECK(request.find("Basic cDpz") != std::string::npos);
    t.loop.await(peer.send(head));
    REQUIRE(subscribed.get().has_value());
    CHECK(t.stream.endpoint() == leader.endpoint());

    auto call = t.loop.start(t.stream.call("ONE"));
    Peer calls = t.loop.await(leader.accept());
    t.loop.await(calls.read_until("ONE"));
    t.loop.await(calls.send(accepted));
    CHECK(call.get().has_value());
}

TEST_CASE("event stream: a refusal is an answer, with its text", "[stream]")
{
    Setup t;
    auto subscribed = t.loop.start(t.stream.subscribe(t.listener.endpoint(), "SUB"));
    Peer peer = t.accept();
    t.loop.await(peer.read_until("SUB"));
    t.loop.await(peer.send("HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\nNo leader"));
    REQUIRE(subscribed.get().has_value());
    CHECK(subscribed.get()->status == 503);
    CHECK(subscribed.get()->body == "No leader");
    CHECK(!t.stream.is_open());
}

TEST_CASE("event stream: a failed attempt has its reason", "[stream]")
{
    struct Case {
        std::string name;
        std::string answer;
        Errc reason;
    };
    const std::vector<Case> cases{
        {"nothing", "", Errc::connection_lost},
        {"half a head", "HTTP/1.1 200 OK\r\nTra", Errc::connection_lost},
        {"not HTTP", "hello there\r\n\r\n", Errc::response_malformed},
        {"half a refusal", "HTTP/1.1 503 x\r\nContent-Length: 9\r\n\r\nNo", Errc::connection_lost},
        {"redirect to nowhere",
         "HTTP/1.1 307 x\r\nContent-Length: 0\r\n\r\n",
         Errc::redirect_refused},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            Setup t;
            auto subscribed = t.loop.start(t.stream.subscribe(t.listener.endpoint(), "SUB"));
            Peer peer = t.accept();
            t.loop.await(peer.read_until("SUB"));
            t.loop.await(peer.send(c.answer));
            peer.close();
            CHECK(subscribed.get().error() == c.reason);
            CHECK(!t.stream.is_open());
        }
    }
}

TEST_CASE("event stream: a peer that never answers is given up", "[stream]")
{
    Setup t;
    t.config.subscribe_timeout = 50ms;
    EventStream stream{t.loop.executor(), t.config};
    auto subscribed = t.loop.start(stream.subscribe(t.listener.endpoint(), "SUB"));
    Peer peer = t.accept();
    CHECK(subscribed.get().error() == Errc::timed_out);
}

TEST_CASE("event stream: a circle of redirects ends", "[stream]")
{
    Setup t;
    auto subscribed = t.loop.start(t.stream.subscribe(t.listener.endpoint(), "SUB"));
    for (unsigned i = 0; i <= t.config.redirects_max; ++i) {
        Peer peer = t.accept();
        t.loop.await(peer.read_until("SUB"));
        t.loop.await(peer.send("HTTP/1.1 307 x\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n"));
    }
    CHECK(subscribed.get().error() == Errc::redirected_too_often);
}

namespace {

/// Runs keep_subscribed and writes down what it tells.
struct Kept : Setup {
    Kept()
    {
        io::Subscriber subscriber{
            .where = [this] { return where(); },
            .subscribed = [this](const Response&) { story.emplace_back("subscribed"); },
            .record =
                [this](std::string record) {
                    story.push_back(record);
                    return record == "bad" ? make_error_code(wire::Errc::message_malformed)
                                           : ErrorCode{};
                },
            .lost =
                [this](ErrorCode why, const Response* refusal) {
                    story.push_back(
                        refusal == nullptr ? why.message() : std::to_string(refusal->status));
                }};
        ended.emplace(loop.start(io::keep_subscribed(
            stream, std::move(subscriber), Backoff{{.first = 2ms, .max = 4ms}, Prng{1}})));
    }

    ~Kept() { loop.cancel(); }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    io::Awaitable<Result<io::Subscriber::Attempt>> where()
    {
        if (!leader_known) co_return Errc::name_not_found;
        co_return io::Subscriber::Attempt{listener.endpoint(), "SUB"};
    }
    Peer serve(const std::string& answer)
    {
        Peer peer = accept();
        loop.await(peer.read_until("SUB"));
        loop.await(peer.send(answer));
        return peer;
    }
    void wait_for(const std::string& line)
    {
        loop.run_until([&] { return !story.empty() && story.back() == line; });
    }

    bool leader_known = true;
    std::vector<std::string> story{};
    std::optional<Loop::Started<ErrorCode>> ended{};
};

}  // namespace

TEST_CASE("event stream: one that is kept comes back after every failure", "[stream]")
{
    Kept t;
    t.serve("").close();
    t.wait_for("connection ended before the whole answer");
    t.serve("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n");
    t.wait_for("503");
    t.serve(head + chunk("2\nhi") + "0\r\n\r\n");
    t.wait_for("stream was ended by the peer");
    const Peer bad = t.serve(head + chunk("3\nbad"));
    t.wait_for("record is not the message expected");
    const Peer last = t.serve(head + chunk("2\nho"));
    t.wait_for("ho");
    t.loop.cancel();
    CHECK(t.ended->get() == boost::asio::error::operation_aborted);
    const std::vector<std::string> story{
        "connection ended before the whole answer",
        "503",
        "subscribed",
        "hi",
        "stream was ended by the peer",
        "subscribed",
        "bad",
        "record is not the message expected",
        "subscribed",
        "ho",
        "Operation canceled"};
    CHECK(t.story == story);
}

TEST_CASE("event stream: one that is kept asks again where to go when it is closed", "[stream]")
{
    Kept t;
    const Peer old = t.serve(head + chunk("2\nhi"));
    t.wait_for("hi");
    t.leader_known = false;
    t.stream.close();
    t.wait_for("host name has no address");
    t.leader_known = true;
    const Peer peer = t.serve(head + chunk("2\nho"));
    t.wait_for("ho");
}
