// The scheduler's side of the control streams, over real connections. What is decided about them is
// the test's part.
#include "scheduler/in/executor_streams.hpp"

#include "common/io/errc.hpp"
#include "common/io/event_stream.hpp"
#include "common/wire/control.hpp"
#include "test/io/loop.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace mysos::scheduler;
using namespace std::chrono_literals;
using mysos::test::Loop;

namespace {

const Secrets secrets{"cluster", "admin", std::string(32, 's')};
const std::string task = "mysos-demo-1-1-aaaaaaaa";

control::Hello hello(const std::string& cluster = "demo")
{
    control::Hello made;
    made.task_id = task;
    made.cluster = cluster;
    made.member = MemberId{1};
    return made;
}

/// Streams behind a server, with one cluster, "demo".
class Setup {
  public:
    Setup()
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

    [[nodiscard]] io::Endpoint endpoint() const
    {
        return {.host = "127.0.0.1", .port = server.port()};
    }
    /// The executor's end.
    [[nodiscard]] static io::EventStreamConfig member(const std::string& authorization)
    {
        io::EventStreamConfig config;
        config.subscribe_target = "/executor/v1/stream";
        config.call_target = "/executor/v1/call";
        config.stream_id_header = "Mysos-Stream-Id";
        config.authorization = authorization;
        return config;
    }
    io::Response post(
        const std::string& target,
        const std::string& token,
        const std::string& stream_id,
        const std::string& body)
    {
        io::HttpClientConfig to;
        to.endpoint = endpoint();
        to.authorization = io::bearer_authorization(token);
        io::HttpClient client{loop.executor(), to};
        io::Request request{.method = "POST", .target = target, .body = body};
        request.headers.set("Mysos-Stream-Id", stream_id);
        return loop.await(client.request(std::move(request), 60s)).value();
    }
    /// Waits for the next input of a kind; those before it are left out.
    template <class T>
    T next()
    {
        for (;;) {
            loop.run_until([this] { return taken < inputs.size(); });
            if (const T* const found = std::get_if<T>(&inputs[taken++])) return *found;
        }
    }
    /// Opens a stream as the executor, and accepts it.
    cluster::StreamId open(io::EventStream& stream)
    {
        auto answer = loop.start(stream.subscribe(endpoint(), wire::encode(hello())));
        const cluster::StreamId id = next<StreamOpened>().stream;
        control::Welcome welcome;
        welcome.epoch = Epoch{7};
        streams.accept(id, welcome);
        REQUIRE(answer.get()->status == 200);
        const auto first = wire::decode_to_member(*loop.await(stream.next()));
        REQUIRE(std::get<control::Welcome>(*first).epoch == Epoch{7});
        return id;
    }

    Loop loop;
    std::vector<Input> inputs;
    std::size_t taken = 0;
    ExecutorStreams streams{
        loop.executor(),
        [this](Input input) { inputs.push_back(std::move(input)); },
        [](const std::string& cluster) {
            return cluster == "demo" ? std::optional{secrets} : std::nullopt;
        }};
    io::HttpServer server{
        loop.executor(), {}, [this](io::Request request) -> io::Awaitable<io::Reply> {
            if (request.target == "/executor/v1/stream") {
                co_return co_await streams.open(std::move(request));
            }
            co_return streams.call(request);
        }};
};

std::string observation()
{
    control::Observation made;
    made.phase = control::Phase::fenced;
    return wire::encode(control::FromMember{made});
}

}  // namespace

TEST_CASE(
    "streams: what has no token of the task that it names never becomes an input", "[streams]")
{
    Setup t;
    struct Case {
        std::string name;
        std::string authorization;
        std::string body;
        unsigned status;
    };
    const std::string other = "mysos-demo-2-2-aaaaaaaa";
    const std::string right = io::bearer_authorization(launch_token(secrets, task));
    const Secrets elsewhere{"cluster", "admin", std::string(32, 'x')};
    const std::vector<Case> cases{
        {"no token", "", wire::encode(hello()), 401},
        {"an empty one", "Bearer ", wire::encode(hello()), 401},
        {"another task's",
         io::bearer_authorization(launch_token(secrets, other)),
         wire::encode(hello()),
         401},
        {"another cluster's seed",
         io::bearer_authorization(member_token(elsewhere, task)),
         wire::encode(hello()),
         401},
        {"the cluster's password", io::bearer_authorization("cluster"), wire::encode(hello()), 401},
        {"a right one longer", right + "0", wire::encode(hello()), 401},
        {"a right one in another scheme",
         io::basic_authorization("x", launch_token(secrets, task)),
         wire::encode(hello()),
         401},
        {"a cluster that is not", right, wire::encode(hello("other")), 401},
        {"no Hello", right, "\xff\xff", 400},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            io::EventStream stream{t.loop.executor(), Setup::member(c.authorization)};
            const auto answer = t.loop.await(stream.subscribe(t.endpoint(), c.body));
            REQUIRE(answer.has_value());
            CHECK(answer->status == c.status);
            if (c.status == 401) CHECK(answer->headers.find("WWW-Authenticate") == "Bearer");
            CHECK(t.inputs.empty());
        }
    }
}

TEST_CASE("streams: an input says with which token the stream was asked for", "[streams]")
{
    Setup t;
    const std::vector<std::pair<std::string, cluster::Token>> cases{
        {launch_token(secrets, task), cluster::Token::launch},
        {member_token(secrets, task), cluster::Token::permanent}};
    for (const auto& [text, kind] : cases) {
        io::EventStream stream{t.loop.executor(), Setup::member(io::bearer_authorization(text))};
        auto answer = t.loop.start(stream.subscribe(t.endpoint(), wire::encode(hello())));
        const auto opened = t.next<StreamOpened>();
        CHECK(opened.token == kind);
        CHECK(opened.hello == hello());
        t.streams.accept(opened.stream, {});
        CHECK(answer.get()->status == 200);
    }
}

TEST_CASE("streams: a refusal is answered as it was decided", "[streams]")
{
    using Why = cluster::RefuseStream::Why;
    struct Case {
        Why why;
        unsigned status;
    };
    for (const Case& c :
         {Case{Why::unknown_task, 401},
          Case{Why::wrong_token, 401},
          Case{Why::token_used_up, 401},
          Case{Why::other_version, 400},
          Case{Why::not_ready, 503}}) {
        DYNAMIC_SECTION(c.status << " for " << static_cast<int>(c.why))
        {
            Setup t;
            const std::string token = io::bearer_authorization(launch_token(secrets, task));
            io::EventStream stream{t.loop.executor(), Setup::member(token)};
            auto answer = t.loop.start(stream.subscribe(t.endpoint(), wire::encode(hello())));
            t.streams.refuse({t.next<StreamOpened>().stream, c.why});
            CHECK(answer.get()->status == c.status);
        }
    }
}

TEST_CASE("streams: orders go down the stream, what the member says comes up", "[streams]")
{
    Setup t;
    const std::string token = member_token(secrets, task);
    io::EventStream stream{t.loop.executor(), Setup::member(io::bearer_authorization(token))};
    const cluster::StreamId id = t.open(stream);

    t.streams.send(id, control::Stop{});
    const auto order = wire::decode_to_member(*t.loop.await(stream.next()));
    CHECK(*order == control::ToMember{control::Stop{}});

    CHECK(t.loop.await(stream.call(observation()))->status == 202);
    const auto said = t.next<StreamSaid>();
    CHECK(said.stream == id);
    CHECK(std::get<control::Observation>(said.message).phase == control::Phase::fenced);

    // And only with the stream's id, a token of its task, and something that is a message.
    const std::string target = "/executor/v1/call";
    CHECK(t.post(target, token, "guessed", observation()).status == 409);
    CHECK(t.post(target, "guessed", stream.stream_id(), observation()).status == 401);
    CHECK(t.post(target, token, stream.stream_id(), "\xff\xff").status == 400);
    CHECK(t.inputs.size() == t.taken);
}

TEST_CASE("streams: a member that goes is told of once", "[streams]")
{
    Setup t;
    const std::string token = io::bearer_authorization(member_token(secrets, task));
    cluster::StreamId id{};
    {
        io::EventStream stream{t.loop.executor(), Setup::member(token)};
        id = t.open(stream);
    }
    CHECK(t.next<StreamClosed>().stream == id);
    t.streams.send(id, control::Stop{});  // Too late, and nobody's fault.
    t.streams.close(id);
    CHECK(t.inputs.size() == t.taken);
}

TEST_CASE("streams: a newer stream of the same member ends the older one", "[streams]")
{
    Setup t;
    const std::string token = io::bearer_authorization(member_token(secrets, task));
    io::EventStream older{t.loop.executor(), Setup::member(token)};
    io::EventStream newer{t.loop.executor(), Setup::member(token)};
    const cluster::StreamId first = t.open(older);
    const cluster::StreamId second = t.open(newer);
    CHECK(first != second);
    CHECK(older.stream_id() != newer.stream_id());

    const std::string old_id = older.stream_id();
    t.streams.close(first);
    CHECK(t.loop.await(older.next()).error() == io::Errc::stream_ended);
    const io::Response late =
        t.post("/executor/v1/call", member_token(secrets, task), old_id, observation());
    CHECK(late.status == 409);
    CHECK(t.inputs.size() == t.taken);  // That it was closed is no news.
    CHECK(t.loop.await(newer.call(observation()))->status == 202);
    CHECK(t.next<StreamSaid>().stream == second);
}

TEST_CASE("streams: a member gets heartbeats, and one that is silent is lost", "[streams]")
{
    Setup t;
    const std::string token = io::bearer_authorization(member_token(secrets, task));
    io::EventStream stream{t.loop.executor(), Setup::member(token)};
    const cluster::StreamId id = t.open(stream);
    t.loop.start(t.streams.run());
    const auto record = wire::decode_to_member(*t.loop.await(stream.next()));
    CHECK(*record == control::ToMember{control::Heartbeat{}});
    CHECK(t.next<StreamClosed>().stream == id);
    Result<std::string> last = t.loop.await(stream.next());
    while (last) last = t.loop.await(stream.next());
    CHECK(last.error() == io::Errc::connection_lost);
}
