// The loop and its script of effects, with a world that refuses.
#include "scheduler/errc.hpp"
#include "scheduler/loop.hpp"
#include "test/io/loop.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace mysos::scheduler;

namespace {

/// Writes down what it is told to do. A save fails when it is the n-th.
class World final : public Ports {
  public:
    io::Awaitable<ErrorCode> save(SaveFramework) override { return saved("save framework"); }
    io::Awaitable<ErrorCode> save(SaveCluster effect) override
    {
        return saved("save " + effect.record.name);
    }
    io::Awaitable<ErrorCode> save(RemoveCluster effect) override
    {
        return saved("remove " + effect.name);
    }
    void start(const SendCall& effect) override
    {
        did.push_back("call " + std::to_string(effect.call.index()));
    }
    void start(const AcceptOffer& effect) override
    {
        did.push_back("launch " + effect.data.cluster);
    }
    void start(const AcceptStream&) override { did.emplace_back("accept stream"); }
    void start(const RefuseStream&) override { did.emplace_back("refuse stream"); }
    void start(const CloseStream&) override { did.emplace_back("close stream"); }
    void start(const SendOrder&) override { did.emplace_back("order"); }
    void start(const ReadTree&) override { did.emplace_back("read tree"); }
    void start(const ApplyTree&) override { did.emplace_back("apply tree"); }
    void start(const Reply&) override { did.emplace_back("reply"); }
    void report(const Report&) override {}
    void report(const Ignored&) override {}
    void report(const Stop&) override { did.emplace_back("stop"); }

    std::vector<std::string> did;
    int fails_at = 0;  ///< Counted from 1; 0: none does.
    ErrorCode failure = make_error_code(Errc::deposed);

  private:
    io::Awaitable<ErrorCode> saved(std::string what)
    {
        did.push_back(std::move(what));
        if (--fails_at == 0) co_return failure;
        co_return ErrorCode{};
    }
};

Config config()
{
    Config made;
    made.framework.role = "mysos";
    made.cluster.role = "mysos";
    return made;
}

Input creation()
{
    CreateRequested made;
    made.request = RequestId{1};
    made.form.name = "demo";
    made.form.cluster_user = "app";
    made.uuid = "0aa7a9a2-6d5f-4f3e-9b0a-0123456789ab";
    made.sealed_secrets = "sealed";
    return made;
}

Input subscribed()
{
    mesos::Subscribed event;
    event.framework_id.text = "f-1";
    return EventArrived{event};
}

mesos::Resource ports(std::uint64_t begin, std::uint64_t end)
{
    mesos::Resource made;
    made.name = "ports";
    made.value = mesos::Ranges{{begin, end}};
    made.allocation_role = "mysos";
    return made;
}

mesos::Resource scalar(const std::string& name, std::int64_t amount)
{
    mesos::Resource made;
    made.name = name;
    made.value = mesos::Scalar{amount * 1000};
    made.allocation_role = "mysos";
    return made;
}

Input offer()
{
    mesos::Offer made;
    made.id.text = "o-1";
    made.agent_id.text = "a-1";
    made.hostname = "host";
    made.ip = "10.0.0.1";
    made.role = "mysos";
    made.resources = {
        scalar("cpus", 4), scalar("mem", 4096), scalar("disk", 10000), ports(31000, 31010)};
    return EventArrived{mesos::OffersMade{{made}}};
}

/// Everything that leads to a launch.
std::vector<Input> launch()
{
    return {Recovered{}, subscribed(), creation(), offer()};
}

/// Runs a loop over the inputs until it ends by itself, or has nothing left to do.
std::optional<ErrorCode> run(World& world, const std::vector<Input>& inputs)
{
    test::Loop io;
    Loop loop{io.executor(), config(), world};
    std::size_t steps = 0;
    loop.on_step([&](const State&) { ++steps; });
    for (const Input& input : inputs) loop.post(input);
    auto running = io.start(loop.run());
    io.run_until([&] { return running.is_done() || steps >= inputs.size(); });
    if (!running.is_done()) {
        io.cancel();
        CHECK(running.get() == io::asio::error::operation_aborted);
        return std::nullopt;
    }
    return running.get();
}

}  // namespace

TEST_CASE("loop: what must be durable is so before what rests on it happens", "[loop]")
{
    World world;
    CHECK_FALSE(run(world, launch()).has_value());
    const auto at = [&world](const std::string& what) {
        return std::ranges::find(world.did, what) - world.did.begin();
    };
    INFO(Catch::StringMaker<std::vector<std::string>>::convert(world.did));
    CHECK(at("save demo") < at("reply"));
    CHECK(at("reply") < at("launch demo"));
    // The task's id is in the record that was saved last before the launch.
    CHECK(world.did[static_cast<std::size_t>(at("launch demo")) - 1] == "save demo");
}

TEST_CASE("loop: after a save that failed nothing happens any more", "[loop]")
{
    World whole;
    (void)run(whole, launch());
    const auto saves = std::ranges::count_if(
        whole.did, [](const std::string& what) { return what.starts_with("save"); });
    REQUIRE(saves >= 4);  // The framework's id, its clusters' names, the cluster, the launch.

    for (int n = 1; n <= saves; ++n) {
        DYNAMIC_SECTION("save " << n)
        {
            World world;
            world.fails_at = n;
            const std::optional<ErrorCode> end = run(world, launch());
            REQUIRE(end.has_value());
            CHECK(*end == Errc::deposed);
            // The same as before up to there, and no step further.
            REQUIRE_FALSE(world.did.empty());
            CHECK(world.did.back().starts_with("save"));
            CHECK(std::equal(world.did.begin(), world.did.end(), whole.did.begin()));
            CHECK(world.did.size() < whole.did.size());
        }
    }
}

TEST_CASE("loop: a subscription that is refused for good ends it", "[loop]")
{
    World world;
    const Input error = EventArrived{mesos::Errored{"Framework failed over"}};
    const std::optional<ErrorCode> end = run(world, {Recovered{}, subscribed(), error, creation()});
    REQUIRE(end.has_value());
    CHECK(*end == Errc::refused_by_mesos);
    CHECK(world.did.back() == "stop");
}
