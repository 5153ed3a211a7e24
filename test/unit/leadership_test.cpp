#include "scheduler/decide/leadership.hpp"

#include "common/wire/errc.hpp"
#include "common/wire/leader.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::scheduler::leadership;

TEST_CASE("leadership: who came first leads, others wait for the one before them", "[leadership]")
{
    const std::string one = candidate_prefix(1) + "0000000001";
    const std::string two = candidate_prefix(2) + "0000000002";
    const std::string ten = candidate_prefix(-1) + "0000000010";
    CHECK(ten == "candidate_ffffffffffffffff_0000000010");
    struct Case {
        std::vector<std::string> children;
        std::int64_t session;
        Next next;
    };
    const std::vector<Case> cases{
        {{}, 1, Stand{}},
        {{"leader"}, 1, Stand{}},
        {{one}, 2, Stand{}},
        {{one}, 1, Lead{one}},
        {{ten, "leader", two, one}, 1, Lead{one}},
        {{ten, two, one}, 2, Wait{two, one}},
        {{ten, two}, -1, Wait{ten, two}},
        {{ten}, -1, Lead{ten}},
        // What is no candidate's name is in nobody's way.
        {{"candidate_x", "candidate_0000000000000005_", "a_0000000000", two}, 2, Lead{two}},
        // The answer to a creation was lost, and it was made twice: the earlier counts.
        {{candidate_prefix(1) + "0000000009", one}, 1, Lead{one}},
    };
    for (const Case& c : cases) CHECK((next(c.children, c.session) == c.next));
}

TEST_CASE("leader: the announcement is read as it was written", "[leadership]")
{
    const HostPort address{.host = "h1", .port = 8080};
    CHECK(wire::encode_leader(address) == R"({"host":"h1","port":8080})");
    CHECK(wire::decode_leader(wire::encode_leader(address)).value() == address);
    CHECK(wire::decode_leader(R"({"port":1,"x":[],"host":"h"})").value() == HostPort{"h", 1});
    for (const char* const bad :
         {"",
          "[]",
          "{}",
          R"({"host":"h"})",
          R"({"port":1})",
          R"({"host":"","port":1})",
          R"({"host":1,"port":1})",
          R"({"host":"h","port":0})",
          R"({"host":"h","port":65536})",
          R"({"host":"h","port":-1})",
          R"({"host":"h","port":"1"})"}) {
        INFO(bad);
        CHECK(wire::decode_leader(bad).error() == wire::Errc::message_malformed);
    }
}
