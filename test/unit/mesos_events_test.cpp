// The connection to the Mesos master, with masters that are played.
#include "scheduler/in/mesos_events.hpp"

#include "common/io/http_server.hpp"
#include "mesos/v1/scheduler.pb.h"
#include "test/io/loop.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <deque>
#include <string>
#include <variant>
#include <vector>

// Within it, as "mesos" is also the generated messages' namespace.
namespace mysos::scheduler {
namespace {

using namespace std::chrono_literals;
using mysos::test::Loop;
namespace v1 = ::mesos::v1::scheduler;

constexpr const char* stream_id = "b1d5ed0f-3b0e-4fd5-8a5e-1a1c1a1d1e1f";

/// A master: what it is asked is kept, what it answers is the test's to say.
class Master {
  public:
    explicit Master(Loop& loop) : loop_{loop}
    {
        REQUIRE(server_.listen() == ErrorCode{});
        loop_.start(serve());
    }
    ~Master()
    {
        server_.stop(0s);
        loop_.run_until([this] { return has_ended_; });
    }
    Master(const Master&) = delete;
    Master& operator=(const Master&) = delete;

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] mesos::Master leader() const { return {"m", "127.0.0.1", "127.0.0.1", port()}; }

    /// The stream of the newest subscription, once there is one more than `before`.
    std::shared_ptr<io::StreamWriter> stream(std::size_t before = 0)
    {
        loop_.run_until([&] { return streams.size() > before; });
        return streams.back();
    }
    static std::string subscribed(double heartbeat_seconds = 15)
    {
        v1::Event event;
        event.set_type(v1::Event::SUBSCRIBED);
        event.mutable_subscribed()->mutable_framework_id()->set_value("f-1");
        event.mutable_subscribed()->set_heartbeat_interval_seconds(heartbeat_seconds);
        return event.SerializeAsString();
    }

    std::deque<io::Reply> refusals;  ///< Answered to the next SUBSCRIBEs, before any stream.
    std::vector<io::Request> subscriptions;
    std::vector<io::Request> calls;
    std::vector<std::shared_ptr<io::StreamWriter>> streams;

  private:
    io::Reply answer(io::Request request)
    {
        v1::Call call;
        io::Reply reply;
        if (!call.ParseFromString(request.body)) {
            reply.status = 400;
            return reply;
        }
        if (call.type() != v1::Call::SUBSCRIBE) {
            calls.push_back(std::move(request));
            reply.status = 202;
            return reply;
        }
        subscriptions.push_back(std::move(request));
        if (!refusals.empty()) {
            reply = std::move(refusals.front());
            refusals.pop_front();
            return reply;
        }
        reply.headers.set("Mesos-Stream-Id", stream_id);
        reply.stream = io::StreamWriter::make([](ErrorCode) {});
        streams.push_back(reply.stream);
        return reply;
    }

    io::Awaitable<void> serve()
    {
        co_await server_.run();
        has_ended_ = true;
    }

    Loop& loop_;
    bool has_ended_ = false;
    io::HttpServer server_{
        loop_.executor(), {}, [this](io::Request request) -> io::Awaitable<io::Reply> {
            co_return answer(std::move(request));
        }};
};

/// Says who leads as the test tells it.
class Detector final : public io::MasterDetector {
  public:
    explicit Detector(const io::asio::any_io_executor& executor) : changed_{executor} {}

    void lead(mesos::Master master)
    {
        leader_ = std::move(master);
        changed_.cancel();
    }
    io::Awaitable<Result<mesos::Master>> find() override
    {
        while (!leader_) co_await change();
        co_return *leader_;
    }
    io::Awaitable<ErrorCode> until_replaced(mesos::Master master) override
    {
        while (leader_ == master) {
            const ErrorCode ec = co_await change();
            const bool cancelled = co_await io::is_cancelled();
            if (cancelled) co_return ec;
        }
        co_return ErrorCode{};
    }

  private:
    io::Awaitable<ErrorCode> change()
    {
        changed_.expires_at(TimePoint::max());
        const auto [ec] = co_await changed_.async_wait(io::asio::as_tuple(io::asio::use_awaitable));
        co_return ec;
    }

    std::optional<mesos::Master> leader_;
    io::asio::steady_timer changed_;
};

class Setup {
  public:
    explicit Setup(std::optional<Credentials> authentication = std::nullopt)
    {
        auto made = std::make_unique<Detector>(loop.executor());
        detector = made.get();
        MesosEvents::Config config;
        config.authentication = std::move(authentication);
        config.retry_min = 1ms;
        config.retry_max = 2ms;
        events.emplace(
            loop.executor(),
            std::move(config),
            std::move(made),
            [this](Input input) { inputs.push_back(std::move(input)); },
            [this] {
                mesos::Subscribe subscribe;
                subscribe.framework.name = "mysos";
                subscribe.framework.role = "mysos";
                subscribe.framework_id = framework_id;
                return subscribe;
            });
        detector->lead(master.leader());
        run.emplace(loop.start(events->run()));
    }
    ~Setup()
    {
        events->close();
        loop.cancel();
    }
    Setup(const Setup&) = delete;
    Setup& operator=(const Setup&) = delete;

    /// Waits for the next input.
    Input next()
    {
        loop.run_until([this] { return taken < inputs.size(); });
        return inputs[taken++];
    }
    template <class T>
    T next_event()
    {
        return std::get<T>(std::get<EventArrived>(next()).event);
    }

    Loop loop;
    Master master{loop};
    Detector* detector = nullptr;
    mesos::FrameworkId framework_id;
    std::vector<Input> inputs;
    std::size_t taken = 0;
    std::optional<MesosEvents> events;
    std::optional<Loop::Started<ErrorCode>> run;
};

std::string update(const std::string& task)
{
    v1::Event event;
    event.set_type(v1::Event::UPDATE);
    event.mutable_update()->mutable_status()->mutable_task_id()->set_value(task);
    event.mutable_update()->mutable_status()->set_state(::mesos::v1::TASK_RUNNING);
    return event.SerializeAsString();
}

std::string heartbeat()
{
    v1::Event event;
    event.set_type(v1::Event::HEARTBEAT);
    return event.SerializeAsString();
}

}  // namespace

TEST_CASE("mesos: events become inputs, heartbeats and what is not understood do not", "[mesos]")
{
    Setup t;
    const auto stream = t.master.stream();
    stream->write_record(Master::subscribed());
    stream->write_record(heartbeat());
    stream->write_record("\xff\xff no event");
    stream->write_record(update("t1"));
    CHECK(t.next_event<mesos::Subscribed>().framework_id.text == "f-1");
    CHECK(t.next_event<mesos::StatusUpdated>().status.task_id.text == "t1");
    CHECK(t.inputs.size() == 2);
}

TEST_CASE("mesos: calls go beside the stream, in order, with its id and the framework's", "[mesos]")
{
    Setup t{Credentials{"principal", "secret"}};
    t.master.stream()->write_record(Master::subscribed());
    (void)t.next();
    t.events->call(mesos::Revive{}, {"f-1"});
    t.events->call(mesos::Suppress{}, {"f-1"});
    t.loop.run_until([&] { return t.master.calls.size() == 2; });

    const std::string basic = io::basic_authorization("principal", "secret");
    const io::Request& subscription = t.master.subscriptions.front();
    CHECK(subscription.target == "/api/v1/scheduler");
    CHECK(subscription.headers.find("Content-Type") == "application/x-protobuf");
    CHECK(subscription.headers.find("Accept") == "application/x-protobuf");
    CHECK_FALSE(subscription.headers.contains("Mesos-Stream-Id"));
    CHECK(subscription.headers.find("Authorization") == basic);
    for (const io::Request& call : t.master.calls) {
        CHECK(call.target == "/api/v1/scheduler");
        CHECK(call.headers.find("Mesos-Stream-Id") == stream_id);
        CHECK(call.headers.find("Content-Type") == "application/x-protobuf");
        CHECK(call.headers.find("Authorization") == basic);
        CHECK(call.peer != subscription.peer);
    }
    v1::Call first;
    REQUIRE(first.ParseFromString(t.master.calls[0].body));
    CHECK(first.type() == v1::Call::REVIVE);
    CHECK(first.framework_id().value() == "f-1");
    v1::Call second;
    REQUIRE(second.ParseFromString(t.master.calls[1].body));
    CHECK(second.type() == v1::Call::SUPPRESS);
}

TEST_CASE("mesos: a stream that ends is told of once, and asked for anew as the same", "[mesos]")
{
    Setup t;
    t.master.stream()->write_record(Master::subscribed());
    (void)t.next();
    t.framework_id.text = "f-1";
    t.master.streams.back()->close();
    const auto lost = std::get<MesosDisconnected>(t.next());
    CHECK(lost.why.starts_with("stream was ended by the peer at 127.0.0.1:"));

    t.master.stream(1)->write_record(Master::subscribed());
    (void)t.next_event<mesos::Subscribed>();
    v1::Call again;
    REQUIRE(again.ParseFromString(t.master.subscriptions.back().body));
    CHECK(again.framework_id().value() == "f-1");
    CHECK(again.subscribe().framework_info().id().value() == "f-1");
    CHECK(t.inputs.size() == 3);
}

TEST_CASE("mesos: five heartbeats missed are a lost master", "[mesos]")
{
    Setup t;
    t.master.stream()->write_record(Master::subscribed(0.01));
    (void)t.next();
    CHECK(std::get<MesosDisconnected>(t.next()).why.starts_with("stream was silent for too long"));
    (void)t.master.stream(1);
}

TEST_CASE("mesos: who refuses is asked again, and nobody was connected", "[mesos]")
{
    Setup t;
    for (const unsigned status : {503U, 401U, 500U, 404U}) {
        io::Reply reply;
        reply.status = status;
        reply.body = "no\nwith a second line";
        t.master.refusals.push_back(std::move(reply));
    }
    t.master.stream()->write_record(Master::subscribed());
    (void)t.next_event<mesos::Subscribed>();
    CHECK(t.master.subscriptions.size() >= 2);
    CHECK(t.inputs.size() == 1);
}

TEST_CASE("mesos: who does not lead sends on to who does, and calls go there too", "[mesos]")
{
    Setup t;
    Master leader{t.loop};
    // The first attempt may have been made already.
    io::Reply redirect;
    redirect.status = 307;
    const std::string authority = "127.0.0.1:" + std::to_string(leader.port());
    redirect.headers.set("Location", "//" + authority + "/master/api/v1/scheduler");
    t.master.refusals.assign(3, redirect);
    leader.stream()->write_record(Master::subscribed());
    (void)t.next_event<mesos::Subscribed>();
    CHECK(leader.subscriptions.front().target == "/master/api/v1/scheduler");
    t.events->call(mesos::Revive{}, {"f-1"});
    t.loop.run_until([&] { return leader.calls.size() == 1; });
    CHECK(t.master.calls.empty());
}

TEST_CASE("mesos: another leader is turned to at once", "[mesos]")
{
    Setup t;
    Master next{t.loop};
    t.master.stream()->write_record(Master::subscribed());
    (void)t.next();
    t.detector->lead(next.leader());
    (void)std::get<MesosDisconnected>(t.next());
    next.stream()->write_record(Master::subscribed());
    (void)t.next_event<mesos::Subscribed>();
    CHECK(t.master.subscriptions.size() == 1);
}

TEST_CASE("mesos: closed and cancelled it ends", "[mesos]")
{
    Setup t;
    t.master.stream()->write_record(Master::subscribed());
    (void)t.next();
    t.events->close();
    t.loop.cancel();
    CHECK(t.run->get() == io::asio::error::operation_aborted);
}

}  // namespace mysos::scheduler
