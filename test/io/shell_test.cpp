// The small shells: offload, signals, logs, tasks, unix sockets, names.
#include "common/io/connection.hpp"
#include "common/io/errc.hpp"
#include "common/io/http_client.hpp"
#include "common/io/log.hpp"
#include "common/io/offload.hpp"
#include "common/io/resolve.hpp"
#include "common/io/signals.hpp"
#include "test/io/loop.hpp"
#include "test/io/peer.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

using namespace mysos;
using namespace mysos::test;
using namespace std::chrono_literals;
using io::Awaitable;
using io::Errc;

TEST_CASE("offload: a function runs on another thread and its value comes home", "[offload]")
{
    Loop loop;
    io::Offload offload{2};
    const auto here = std::this_thread::get_id();
    auto other = loop.start(offload.run([] { return std::this_thread::get_id(); }));
    auto text = loop.start(offload.run([] { return std::make_unique<std::string>("moved"); }));
    CHECK(other.get() != here);
    CHECK(*text.get() == "moved");
}

TEST_CASE("offload: what a function throws is thrown where it is awaited", "[offload]")
{
    Loop loop;
    io::Offload offload{1};
    auto fail = []() -> int { throw std::runtime_error{"no"}; };
    CHECK_THROWS_WITH(loop.await(offload.run(fail)), "no");
}

namespace {

Awaitable<ErrorCode> until_cancelled(bool& put_in_order)
{
    co_await io::sleep_until(TimePoint::max());
    const bool cancelled = co_await io::is_cancelled();
    if (!cancelled) co_return ErrorCode{};
    co_await io::sleep_until(Clock::now() + 1ms);  // Waiting still works.
    put_in_order = true;
    co_return io::aborted();
}

Awaitable<ErrorCode> kill_ourselves(int signal, bool& put_in_order)
{
    ::raise(signal);
    co_return co_await until_cancelled(put_in_order);
}

Awaitable<ErrorCode> fail_at_once()
{
    throw std::runtime_error{"no"};
    co_return ErrorCode{};
}

Awaitable<ErrorCode> end_at_once()
{
    co_return Errc::timed_out;
}

}  // namespace

TEST_CASE("signals: SIGTERM and SIGINT cancel the root, which puts things in order", "[signals]")
{
    for (const int signal : {SIGTERM, SIGINT}) {
        boost::asio::io_context context{1};
        bool put_in_order = false;
        const ErrorCode ec = io::run_until_signal(context, kill_ourselves(signal, put_in_order));
        CHECK(ec == boost::asio::error::operation_aborted);
        CHECK(put_in_order);
    }
}

TEST_CASE("signals: without one the root's value or exception comes back", "[signals]")
{
    boost::asio::io_context context{1};
    CHECK(io::run_until_signal(context, end_at_once()) == Errc::timed_out);
    boost::asio::io_context other{1};
    CHECK_THROWS_WITH(io::run_until_signal(other, fail_at_once()), "no");
}

TEST_CASE("log: an area has one logger, and verbosity reaches all", "[log]")
{
    CHECK(log::logger("a") == log::logger("a"));
    CHECK(log::logger("a") != log::logger("b"));
    log::configure(log::Verbosity::normal);
    CHECK(!log::logger("a")->should_log(spdlog::level::debug));
    log::configure(log::Verbosity::verbose);
    CHECK(log::logger("a")->should_log(spdlog::level::debug));
    CHECK(log::logger("made later")->should_log(spdlog::level::debug));
    log::configure(log::Verbosity::normal);
}

TEST_CASE("resolve: an address is itself, a known name has one, an unknown has none", "[resolve]")
{
    Loop loop;
    io::Resolver resolver{loop.executor()};
    const auto later = Clock::now() + 60s;
    const auto address = loop.await(resolver.resolve("::1", 5, later));
    CHECK(address->at(0).port() == 5);
    CHECK(address->at(0).address().is_v6());
    const auto name = loop.await(resolver.resolve("localhost", 5, later));
    CHECK(name->at(0).address().is_loopback());
    CHECK(loop.await(resolver.resolve("x.invalid", 5, later)).error() == Errc::name_not_found);
    auto asked = loop.start(resolver.resolve("localhost", 5, later));
    resolver.cancel();
    CHECK(asked.get().has_value());  // Not yet begun, so not cancelled.
}

TEST_CASE("http client: a unix socket is an endpoint too", "[http]")
{
    using boost::asio::local::stream_protocol;
    Loop loop;
    std::string directory = (std::filesystem::temp_directory_path() / "mysos-XXXXXX").string();
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    const std::string file = directory + "/agent.sock";
    stream_protocol::acceptor acceptor{loop.executor(), stream_protocol::endpoint{file}};

    const io::HttpClientConfig to{.endpoint = io::parse_endpoint("unix:" + file).value()};
    io::HttpClient client{loop.executor(), to};
    auto answer = loop.start(client.request({}, 60s));
    stream_protocol::socket peer = loop.await(acceptor.async_accept(boost::asio::use_awaitable));
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && peer.read_some(boost::asio::buffer(&byte, 1)) == 1) {
        request.push_back(byte);
        loop.await(io::sleep_until(Clock::now()));
    }
    CHECK(request == "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    boost::asio::write(peer, boost::asio::buffer(std::string{"HTTP/1.1 204 No Content\r\n\r\n"}));
    CHECK(answer.get()->status == 204);
    std::filesystem::remove_all(directory);
}
