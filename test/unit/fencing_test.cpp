#include "executor/decide/fencing.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::executor::fencing;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint t0{std::chrono::hours{1}};
const Config config{3s};

struct Event {
    Duration at;
    Input input;
};

}  // namespace

TEST_CASE(
    "fencing: only both losses together, each for the whole lease, end a primary", "[executor]")
{
    struct Case {
        std::string name;
        std::vector<Event> events;
        std::optional<Duration> deadline;  ///< After them.
    };
    const ReceiversSeen enough{1, 1};
    const ReceiversSeen short_of{0, 1};
    const std::vector<Case> cases{
        {"nothing lost", {{0s, enough}}, {}},
        {"stream lost, receivers there", {{0s, enough}, {1s, StreamLost{}}}, {}},
        {"receivers lost, stream there", {{1s, short_of}}, {}},
        {"async: a proof lasts so long from when it began",
         {{0s, StreamLost{}}, {2s, ReceiversSeen{1, 1, t0 + 1s}}},
         5s},
        {"async: what is no proof does not prolong it",
         {{0s, StreamLost{}},
          {2s, ReceiversSeen{1, 1, t0 + 1s}},
          {3s, ReceiversSeen{0, 1, t0 + 3s}}},
         5s},
        {"async: the stream's loss may be the later one",
         {{1s, ReceiversSeen{1, 1, t0 + 1s}},
          {2s, ReceiversSeen{0, 1, t0 + 2s}},
          {3s, StreamLost{}}},
         7s},
        {"async: without any proof, from the first look",
         {{0s, StreamLost{}},
          {2s, ReceiversSeen{0, 1, t0 + 1s}},
          {3s, ReceiversSeen{0, 1, t0 + 3s}}},
         5s},
        {"async: a silent server is no better",
         {{0s, StreamLost{}}, {1s, ReceiversSeen{1, 1, t0 + 1s}}, {1500ms, ServerSilent{}}},
         4500ms},
        {"async: alone", {{0s, StreamLost{}}, {2s, ReceiversSeen{0, 0, t0 + 1s}}}, {}},
        {"async: not the primary any more",
         {{0s, StreamLost{}}, {2s, ReceiversSeen{1, 1, t0 + 1s}}, {3s, NotPrimary{}}},
         {}},
        {"both: the later loss counts", {{1s, short_of}, {2s, StreamLost{}}}, 5s},
        {"the other way round", {{1s, StreamLost{}}, {2s, short_of}}, 5s},
        {"short of receivers all along", {{1s, StreamLost{}}, {2s, short_of}, {3s, short_of}}, 5s},
        {"a loss repeated is one loss",
         {{1s, StreamLost{}}, {2s, short_of}, {3s, StreamLost{}}},
         5s},
        {"a receiver came back", {{1s, StreamLost{}}, {2s, short_of}, {3s, enough}}, {}},
        {"and went again", {{1s, StreamLost{}}, {2s, short_of}, {3s, enough}, {4s, short_of}}, 7s},
        {"the scheduler came back", {{1s, StreamLost{}}, {2s, short_of}, {3s, StreamOpened{}}}, {}},
        {"silence counts as a loss", {{1s, StreamLost{}}, {2s, ServerSilent{}}}, 5s},
        {"a lone primary needs nobody", {{1s, StreamLost{}}, {2s, ReceiversSeen{0, 0}}}, {}},
        {"no primary any more", {{1s, StreamLost{}}, {2s, short_of}, {3s, NotPrimary{}}}, {}},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            State state;
            CHECK(step(state, config, StreamOpened{}, t0).empty());
            for (const Event& event : c.events) {
                CHECK(step(state, config, event.input, t0 + event.at).empty());
            }
            const auto deadline = next_deadline(state, config);
            REQUIRE(deadline.has_value() == c.deadline.has_value());
            if (!deadline) {
                CHECK(step(state, config, DeadlinePassed{}, t0 + 1h).empty());
                return;
            }
            CHECK(*deadline == t0 + *c.deadline);
            CHECK(step(state, config, DeadlinePassed{}, *deadline - 1ns).empty());
            CHECK(step(state, config, DeadlinePassed{}, *deadline) == Effects{Fence{}});
            CHECK(step(state, config, DeadlinePassed{}, *deadline + 1h).empty());
        }
    }
}
