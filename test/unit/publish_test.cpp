#include "common/publish/publish.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

using namespace mysos;
using namespace mysos::publish;
using namespace std::chrono_literals;

namespace {

constexpr Config config{.retry_min = 1s, .retry_max = 5s};
constexpr TimePoint t0{};
constexpr MemberId m1{1};
constexpr MemberId m2{2};

Wanted wanted(std::optional<MemberId> master, const std::vector<MemberId>& members)
{
    Wanted result{.master = master, .members = {}};
    for (const MemberId member : members) {
        result.members[member] = {"h" + std::to_string(number(member)), 3306};
    }
    return result;
}

std::string entry(MemberId member)
{
    const std::string id = std::to_string(number(member));
    return R"({"serviceEndpoint":{"host":"h)" + id +
           R"(","port":3306},"additionalEndpoints":{},"status":"ALIVE","shard":)" + id + "}";
}

const std::string master_1 = "master/member_0000000001";
const std::string master_2 = "master/member_0000000002";
const std::string slave_1 = "slaves/member_0000000001";
const std::string slave_2 = "slaves/member_0000000002";

/// Members 1 and 2, the first being master.
Tree usual()
{
    return {
        {"", {"", 0}},
        {"master", {"", 0}},
        {master_1, {entry(m1), 4}},
        {"slaves", {"", 0}},
        {slave_2, {entry(m2), 7}}};
}

/// What a wish makes of a tree that is read now.
Effects from(const Tree& tree, const Input& wish)
{
    State state;
    REQUIRE(step(state, config, wish, t0) == Effects{ReadTree{1}});
    return step(state, config, TreeRead{1, tree}, t0);
}

/// Published and at rest.
State resting(const Wanted& goal, const Tree& tree)
{
    State state;
    REQUIRE(step(state, config, WantedChanged{goal}, t0) == Effects{ReadTree{1}});
    REQUIRE(step(state, config, TreeRead{1, tree}, t0) == Effects{ReportPublished{goal.master}});
    return state;
}

}  // namespace

TEST_CASE("publish: a difference becomes one multi, removals first", "[publish]")
{
    struct Case {
        std::string name;
        Tree there;
        Wanted goal;
        std::vector<Operation> operations;
    };
    Tree moved_host = usual();
    moved_host[slave_2].data = "{}";
    Tree two_masters = usual();
    two_masters[master_2] = {entry(m2), 2};
    Tree foreign = usual();
    foreign["backups"] = {"x", 0};
    foreign["slaves/somebody"] = {"x", 9};
    const std::vector<Case> cases{
        {"fresh",
         {},
         wanted(std::nullopt, {}),
         {Create{"", ""}, Create{"master", ""}, Create{"slaves", ""}}},
        {"fresh with members",
         {},
         wanted(m1, {m1, m2}),
         {Create{"", ""},
          Create{"master", ""},
          Create{master_1, entry(m1)},
          Create{"slaves", ""},
          Create{slave_2, entry(m2)}}},
        {"promotion moves both in one",
         usual(),
         wanted(m2, {m1, m2}),
         {Remove{slave_2, 7},
          Remove{master_1, 4},
          Create{master_2, entry(m2)},
          Create{slave_1, entry(m1)}}},
        {"the old primary is gone",
         usual(),
         wanted(m2, {m2}),
         {Remove{slave_2, 7}, Remove{master_1, 4}, Create{master_2, entry(m2)}}},
        {"no primary is open", usual(), wanted(std::nullopt, {m2}), {Remove{master_1, 4}}},
        {"a shut primary is nobody's slave either",
         usual(),
         wanted(std::nullopt, {}),
         {Remove{slave_2, 7}, Remove{master_1, 4}}},
        {"a member moved to another host",
         moved_host,
         wanted(m1, {m1, m2}),
         {Write{slave_2, entry(m2), 7}}},
        {"a second master, left by whomever",
         two_masters,
         wanted(m1, {m1, m2}),
         {Remove{master_2, 2}}},
        {"strangers among the members go, others stay",
         foreign,
         wanted(m1, {m1, m2}),
         {Remove{"slaves/somebody", 9}}},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CHECK(from(c.there, WantedChanged{c.goal}) == Effects{Apply{2, c.operations}});
        }
    }
}

TEST_CASE("publish: a tree that is as wanted is only reported", "[publish]")
{
    CHECK(from(usual(), WantedChanged{wanted(m1, {m1, m2})}) == Effects{ReportPublished{m1}});
}

TEST_CASE("publish: there is never more than one master on the way", "[publish]")
{
    const Effects effects = from(usual(), WantedChanged{wanted(m2, {m1, m2})});
    const auto& operations = std::get<Apply>(effects.at(0)).operations;
    const auto removed = std::ranges::find(operations, Operation{Remove{master_1, 4}});
    const auto created = std::ranges::find(operations, Operation{Create{master_2, entry(m2)}});
    REQUIRE(removed != operations.end());
    REQUIRE(created != operations.end());
    CHECK(removed < created);
}

TEST_CASE("publish: what was applied is known without reading", "[publish]")
{
    State state = resting(wanted(m1, {m1, m2}), usual());
    REQUIRE(
        step(state, config, WantedChanged{wanted(m2, {m2})}, t0) ==
        Effects{Apply{2, {Remove{slave_2, 7}, Remove{master_1, 4}, Create{master_2, entry(m2)}}}});
    CHECK(step(state, config, Applied{2}, t0) == Effects{ReportPublished{m2}});
    // The new node's version is 0, a rewritten one's the next.
    Wanted elsewhere = wanted(m2, {m2});
    elsewhere.members[m2].port = 1;
    const std::string data =
        R"({"serviceEndpoint":{"host":"h2","port":1},"additionalEndpoints":{},"status":"ALIVE","shard":2})";
    CHECK(
        step(state, config, WantedChanged{elsewhere}, t0) ==
        Effects{Apply{3, {Write{master_2, data, 0}}}});
    CHECK(step(state, config, Applied{3}, t0) == Effects{ReportPublished{m2}});
    CHECK(
        step(state, config, WantedChanged{wanted(m2, {m2})}, t0) ==
        Effects{Apply{4, {Write{master_2, entry(m2), 1}}}});
}

TEST_CASE("publish: a wish that changes on the way is pursued afterwards", "[publish]")
{
    State state = resting(wanted(m1, {m1, m2}), usual());
    CHECK(
        step(state, config, WantedChanged{wanted(std::nullopt, {m2})}, t0) ==
        Effects{Apply{2, {Remove{master_1, 4}}}});
    CHECK(step(state, config, WantedChanged{wanted(m2, {m2})}, t0) == Effects{});
    CHECK(
        step(state, config, Applied{2}, t0) ==
        Effects{Apply{3, {Remove{slave_2, 7}, Create{master_2, entry(m2)}}}});
    CHECK(step(state, config, Applied{3}, t0) == Effects{ReportPublished{m2}});
}

TEST_CASE("publish: removal takes everything, children first, and comes last", "[publish]")
{
    Tree tree = usual();
    tree["backups"] = {"x", 3};
    State state = resting(wanted(m1, {m1, m2}), tree);
    CHECK(
        step(state, config, RemovalWanted{}, t0) == Effects{Apply{
                                                        2,
                                                        {Remove{slave_2, 7},
                                                         Remove{"slaves", 0},
                                                         Remove{master_1, 4},
                                                         Remove{"master", 0},
                                                         Remove{"backups", 3},
                                                         Remove{"", 0}}}});
    CHECK(
        step(state, config, WantedChanged{wanted(m2, {m2})}, t0) ==
        Effects{Ignored{Ignored::Why::being_removed}});
    CHECK(step(state, config, Applied{2}, t0) == Effects{ReportRemoved{}});
    CHECK(step(state, config, RemovalWanted{}, t0) == Effects{Ignored{Ignored::Why::already_so}});
}

TEST_CASE("publish: removing what is not there is done at once", "[publish]")
{
    CHECK(from({}, RemovalWanted{}) == Effects{ReportRemoved{}});
}

TEST_CASE("publish: after a failure the tree is read again, later and later", "[publish]")
{
    State state;
    REQUIRE(step(state, config, WantedChanged{wanted(m1, {m1, m2})}, t0) == Effects{ReadTree{1}});
    TimePoint now = t0;
    std::uint64_t serial = 1;
    for (const Duration pause : {1s, 2s, 4s, 5s, 5s}) {
        CHECK(step(state, config, Failed{serial}, now) == Effects{});
        REQUIRE(next_deadline(state) == now + pause);
        CHECK(
            step(state, config, DeadlinePassed{}, now + pause - 1ms) ==
            Effects{Ignored{Ignored::Why::too_early}});
        now += pause;
        CHECK(step(state, config, DeadlinePassed{}, now) == Effects{ReadTree{++serial}});
        CHECK_FALSE(next_deadline(state));
    }
    // A multi whose outcome is not known is not sent again before looking.
    const Tree without_slave{
        {"", {"", 0}}, {"master", {"", 0}}, {master_1, {entry(m1), 4}}, {"slaves", {"", 0}}};
    REQUIRE(
        step(state, config, TreeRead{serial, without_slave}, now) ==
        Effects{Apply{7, {Create{slave_2, entry(m2)}}}});
    CHECK(step(state, config, Failed{7}, now) == Effects{});
    CHECK(step(state, config, DeadlinePassed{}, now + 5s) == Effects{ReadTree{8}});
    CHECK(step(state, config, TreeRead{8, usual()}, now + 5s) == Effects{ReportPublished{m1}});
    // And success makes it patient anew.
    CHECK(step(state, config, SessionRenewed{}, now + 6s) == Effects{ReadTree{9}});
    CHECK(step(state, config, Failed{9}, now + 6s) == Effects{});
    CHECK(next_deadline(state) == now + 7s);
}

TEST_CASE("publish: with a new session it looks again", "[publish]")
{
    State state = resting(wanted(m1, {m1, m2}), usual());
    CHECK(step(state, config, SessionRenewed{}, t0) == Effects{ReadTree{2}});
    SECTION("what was being read may be old")
    {
        CHECK(step(state, config, SessionRenewed{}, t0) == Effects{});
        CHECK(step(state, config, TreeRead{2, usual()}, t0) == Effects{ReadTree{3}});
        CHECK(step(state, config, TreeRead{3, usual()}, t0) == Effects{ReportPublished{m1}});
    }
    SECTION("what was applied may be changed")
    {
        REQUIRE(step(state, config, TreeRead{2, {}}, t0).size() == 1);
        CHECK(step(state, config, SessionRenewed{}, t0) == Effects{});
        CHECK(step(state, config, Applied{3}, t0) == Effects{ReadTree{4}});
    }
    SECTION("a pause is cut short")
    {
        CHECK(step(state, config, Failed{2}, t0) == Effects{});
        CHECK(step(state, config, SessionRenewed{}, t0) == Effects{ReadTree{3}});
    }
}

TEST_CASE("publish: what does not apply changes nothing", "[publish]")
{
    struct Case {
        std::string name;
        Input input;
        Ignored::Why why;
    };
    const std::vector<Case> cases{
        {"same wish", WantedChanged{wanted(m1, {m1, m2})}, Ignored::Why::already_so},
        {"old reading", TreeRead{1, {}}, Ignored::Why::not_asked},
        {"old multi", Applied{1}, Ignored::Why::not_asked},
        {"old failure", Failed{1}, Ignored::Why::not_asked},
        {"no pause to end", DeadlinePassed{}, Ignored::Why::not_asked},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            State state = resting(wanted(m1, {m1, m2}), usual());
            const State before = state;
            CHECK(step(state, config, c.input, t0) == Effects{Ignored{c.why}});
            CHECK(state == before);
        }
    }
    State fresh;
    CHECK(
        step(fresh, config, SessionRenewed{}, t0) ==
        Effects{Ignored{Ignored::Why::nothing_wanted}});
    REQUIRE(step(fresh, config, RemovalWanted{}, t0) == Effects{ReadTree{1}});
    CHECK(step(fresh, config, Failed{2}, t0) == Effects{Ignored{Ignored::Why::not_asked}});
    CHECK(step(fresh, config, Applied{1}, t0) == Effects{Ignored{Ignored::Why::not_asked}});
}
