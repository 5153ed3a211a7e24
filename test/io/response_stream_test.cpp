#include "common/io/response_stream.hpp"

#include "common/io/errc.hpp"
#include "common/io/http_server.hpp"
#include "test/io/loop.hpp"

#include <catch2/catch.hpp>

using namespace mysos;
using namespace mysos::test;
using io::Errc;

namespace {

constexpr std::chrono::seconds limit{60};

/// A server that gives one reply, and its stream.
struct Donor {
    Donor()
    {
        REQUIRE_FALSE(server.listen());
        loop.start(server.run());
        config.endpoint.host = "127.0.0.1";
        config.endpoint.port = server.port();
        writer = io::StreamWriter::make([this](ErrorCode ec) { ended.push_back(ec); });
        reply.stream = writer;
    }
    ~Donor() { loop.cancel(); }
    Donor(const Donor&) = delete;
    Donor& operator=(const Donor&) = delete;

    io::Awaitable<io::Reply> handle(io::Request request)
    {
        asked = std::move(request);
        co_return reply;
    }
    Result<io::Response> open(io::ResponseStream& stream)
    {
        return loop.await(stream.open({.target = "/data"}, Clock::now() + limit));
    }
    Result<std::string> next(io::ResponseStream& stream)
    {
        return loop.await(stream.next(Clock::now() + limit));
    }

    Loop loop;
    io::HttpServer server{
        loop.executor(), {}, [this](io::Request request) { return handle(std::move(request)); }};
    io::ResponseStreamConfig config;
    io::Reply reply;
    io::Request asked;
    std::shared_ptr<io::StreamWriter> writer;
    std::vector<ErrorCode> ended;
};

}  // namespace

TEST_CASE("response stream: a body comes as it is written, up to its end", "[http]")
{
    Donor donor;
    donor.config.authorization = io::bearer_authorization("t");
    io::ResponseStream stream{donor.loop.executor(), donor.config};
    CHECK(donor.writer->write("first "));
    REQUIRE(donor.open(stream)->status == 200);
    CHECK(donor.asked.target == "/data");
    CHECK(donor.asked.headers.find("Authorization") == "Bearer t");
    CHECK(donor.next(stream).value() == "first ");
    CHECK(donor.writer->write("second"));
    CHECK(donor.next(stream).value() == "second");
    donor.writer->close();
    CHECK(donor.next(stream).value().empty());
    CHECK(donor.next(stream).value().empty());
}

TEST_CASE("response stream: a body that is cut is an error, however much of it came", "[http]")
{
    Donor donor;
    io::ResponseStream stream{donor.loop.executor(), donor.config};
    REQUIRE(donor.open(stream)->status == 200);
    CHECK(donor.writer->write("half"));
    CHECK(donor.next(stream).value() == "half");
    donor.writer->abort();
    const auto cut = donor.next(stream);
    REQUIRE(cut.has_error());
    CHECK(cut.error() == Errc::connection_lost);
}

TEST_CASE("response stream: a refusal comes with its text", "[http]")
{
    Donor donor;
    donor.reply = {.status = 503, .headers = {{"Retry-After", "5"}}, .body = "not now"};
    io::ResponseStream stream{donor.loop.executor(), donor.config};
    const auto refused = donor.open(stream);
    REQUIRE(refused.has_value());
    CHECK(refused->status == 503);
    CHECK(refused->body == "not now");
    CHECK(refused->headers.find("Retry-After") == "5");
}

TEST_CASE("response stream: closed, it ends what is under way", "[http]")
{
    Donor donor;
    io::ResponseStream stream{donor.loop.executor(), donor.config};
    REQUIRE(donor.open(stream)->status == 200);
    auto waiting = donor.loop.start(stream.next(Clock::now() + limit));
    stream.close();
    CHECK(waiting.get().has_error());
    donor.loop.run_until([&] { return !donor.ended.empty(); });
}

TEST_CASE("response stream: a writer that waits is never far ahead of its reader", "[http]")
{
    Donor donor;
    io::ResponseStream stream{donor.loop.executor(), donor.config};
    REQUIRE(donor.open(stream)->status == 200);
    constexpr std::size_t piece = std::size_t{1} << 20U;
    constexpr std::size_t pieces = 40;
    std::size_t written = 0;
    auto writing = donor.loop.start([](Donor& d, std::size_t& count) -> io::Awaitable<bool> {
        const std::string bytes(piece, 'x');
        for (; count < pieces; ++count) {
            if (!d.writer->write(bytes)) co_return false;
            const bool there = co_await d.writer->drained(piece);
            if (!there) co_return false;
        }
        d.writer->close();
        co_return true;
    }(donor, written));
    std::size_t read = 0;
    std::size_t ahead = 0;
    for (;;) {
        const auto bytes = donor.next(stream);
        REQUIRE(bytes.has_value());
        if (bytes->empty()) break;
        ahead = std::max(ahead, written * piece - std::min(written * piece, read));
        read += bytes->size();
    }
    CHECK(writing.get());
    CHECK(read == pieces * piece);
    // What the system's sockets hold, and little more: without the wait it would be all of it.
    CHECK(ahead < pieces * piece / 2);
}

TEST_CASE("response stream: a writer that waits is told when its reader goes", "[http]")
{
    Donor donor;
    auto stream = std::make_unique<io::ResponseStream>(donor.loop.executor(), donor.config);
    REQUIRE(donor.open(*stream)->status == 200);
    CHECK(donor.writer->write(std::string(std::size_t{3} << 20U, 'x')));
    auto waiting = donor.loop.start(donor.writer->drained(0));
    stream.reset();
    CHECK_FALSE(waiting.get());
}
