#include "common/mesos/reconcile.hpp"

#include <catch2/catch.hpp>

namespace mysos::mesos::reconcile {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<Reconcile>;

constexpr TimePoint t0{};
const Config config{5s, 20s, 60s, 200s};
const ReconcileTask a{{"a"}, {"agent-1"}};
const ReconcileTask b{{"b"}, {"agent-2"}};

State connected()
{
    State state;
    REQUIRE(step(state, config, Connected{{a, b}}, t0) == Calls{{{a, b}}, {}});
    return state;
}

}  // namespace

TEST_CASE("reconcile: a subscription asks for each live task, then for all", "[reconcile]")
{
    State state = connected();
    CHECK(next_deadline(state) == t0 + 5s);
    State without_tasks;
    CHECK(step(without_tasks, config, Connected{}, t0) == Calls{{}});
    CHECK(next_deadline(without_tasks) == t0 + 60s);
}

TEST_CASE("reconcile: what is not answered is asked for again, with growing pauses", "[reconcile]")
{
    State state = connected();
    CHECK(step(state, config, Answered{{"a"}}, t0 + 1s).empty());
    CHECK(step(state, config, DeadlinePassed{{a, b}}, t0 + 4s).empty());
    CHECK(step(state, config, DeadlinePassed{{a, b}}, t0 + 5s) == Calls{{{b}}});
    CHECK(next_deadline(state) == t0 + 15s);
    CHECK(step(state, config, DeadlinePassed{{a, b}}, t0 + 15s) == Calls{{{b}}});
    CHECK(next_deadline(state) == t0 + 35s);
    CHECK(step(state, config, DeadlinePassed{{a, b}}, t0 + 35s) == Calls{{{b}}});
    CHECK(next_deadline(state) == t0 + 55s);
    CHECK(step(state, config, Answered{{"b"}}, t0 + 36s).empty());
    CHECK(next_deadline(state) == t0 + 60s);
}

TEST_CASE("reconcile: rounds come again, further and further apart", "[reconcile]")
{
    State state = connected();
    static_cast<void>(step(state, config, Answered{{"a"}}, t0));
    static_cast<void>(step(state, config, Answered{{"b"}}, t0));
    CHECK(step(state, config, DeadlinePassed{{b}}, t0 + 60s) == Calls{{{b}}, {}});
    static_cast<void>(step(state, config, Answered{{"b"}}, t0 + 61s));
    CHECK(next_deadline(state) == t0 + 180s);
    CHECK(step(state, config, DeadlinePassed{}, t0 + 180s) == Calls{{}});
    CHECK(next_deadline(state) == t0 + 380s);
    CHECK(step(state, config, DeadlinePassed{}, t0 + 380s) == Calls{{}});
    CHECK(next_deadline(state) == t0 + 580s);
}

TEST_CASE("reconcile: a doubted task is asked for at once", "[reconcile]")
{
    State state = connected();
    const ReconcileTask c{{"c"}, {"agent-3"}};
    CHECK(step(state, config, Doubted{c}, t0 + 1s) == Calls{{{c}}});
    CHECK(state.open.contains(c.task_id));
}

TEST_CASE("reconcile: without a subscription nothing is asked", "[reconcile]")
{
    State state = connected();
    CHECK(step(state, config, Disconnected{}, t0 + 1s).empty());
    CHECK(next_deadline(state) == std::nullopt);
    CHECK(step(state, config, Doubted{a}, t0 + 2s).empty());
    CHECK(step(state, config, DeadlinePassed{{a}}, t0 + 99s).empty());
    CHECK(step(state, config, Connected{{a}}, t0 + 100s) == Calls{{{a}}, {}});
}

}  // namespace mysos::mesos::reconcile
