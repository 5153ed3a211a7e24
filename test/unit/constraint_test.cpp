#include "common/placement/constraint.hpp"

#include "common/base/prng.hpp"
#include "common/placement/pattern.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace mysos::placement {
namespace {

Place on(const std::string& rack)
{
    return {"host", "eu", "eu-1", {{"rack", rack}}};
}
/// "r1 r1 r2": one member on each.
Places on_racks(const std::string& racks)
{
    Places places;
    for (std::size_t at = 0; at < racks.size(); at += 3) places.push_back(on(racks.substr(at, 2)));
    return places;
}

Constraints parsed(const std::string& json)
{
    const auto result = parse_constraints(json);
    if (const auto* bad = std::get_if<BadConstraints>(&result)) FAIL(bad->why);
    return std::get<Constraints>(result);
}

std::string fault(const std::string& json)
{
    const auto result = parse_constraints(json);
    const auto* bad = std::get_if<BadConstraints>(&result);
    return bad == nullptr ? "" : bad->why;
}

}  // namespace

TEST_CASE("constraint: reads what Marathon reads", "[placement]")
{
    CHECK(
        parsed(R"([["hostname","UNIQUE"],["rack","group_by","3"],["@zone","MAX_PER","1"],
                   ["os","LIKE","deb.*"],["os","unlike","deb7"],["x","CLUSTER"],["x","CLUSTER","y"]])") ==
        Constraints{
            {"hostname", Operator::unique, ""},
            {"rack", Operator::group_by, "3"},
            {"@zone", Operator::max_per, "1"},
            {"os", Operator::like, "deb.*"},
            {"os", Operator::unlike, "deb7"},
            {"x", Operator::cluster, ""},
            {"x", Operator::cluster, "y"}});
    CHECK(parsed("[]").empty());
    const Constraint like{"os", Operator::like, "deb.*"};
    CHECK(words(like) == std::vector<std::string>{"os", "LIKE", "deb.*"});
    CHECK(words({"rack", Operator::group_by, ""}) == std::vector<std::string>{"rack", "GROUP_BY"});
    CHECK(to_text(like) == "os LIKE 'deb.*'");
}

TEST_CASE("constraint: says what is wrong with one and what would be right", "[placement]")
{
    struct Case {
        std::string json;
        std::string why;
    };
    const std::string list =
        R"(must be a JSON list of lists, like [["rack", "UNIQUE"], ["os", "LIKE", "deb.*"]])";
    const std::string texts =
        R"( must be two or three texts, like ["rack", "UNIQUE"] or ["os", "LIKE", "deb.*"])";
    const std::vector<Case> cases{
        {"", list},
        {"rack:UNIQUE", list},
        {R"({"rack":"UNIQUE"})", list},
        {R"(["rack","UNIQUE"])", R"("rack")" + texts},
        {R"([["rack"]])", R"(["rack"])" + texts},
        {R"([["rack","LIKE","a","b"]])", R"(["rack","LIKE","a","b"])" + texts},
        {R"([["rack","MAX_PER",2]])", R"(["rack","MAX_PER",2])" + texts},
        {R"([["rack","IN","a"]])",
         "'IN' is no operator: UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE and MAX_PER are"},
        {R"([["","UNIQUE"]])", "' UNIQUE' has no field: give hostname or an attribute's name"},
        {R"([["@rack","UNIQUE"]])",
         "'@rack UNIQUE' has a field that begins with '@': @hostname, @region and @zone are known"},
        {R"([["rack","UNIQUE","r1"]])", "'rack UNIQUE' takes no value: leave it out"},
        {R"([["rack","GROUP_BY","many"]])",
         "'rack GROUP_BY' takes a number from 1 up, how many values there are, or none"},
        {R"([["rack","GROUP_BY","0"]])",
         "'rack GROUP_BY' takes a number from 1 up, how many values there are, or none"},
        {R"([["rack","MAX_PER"]])",
         "'rack MAX_PER' needs a number from 1 up, how many members a value may have"},
        {R"([["rack","MAX_PER","-1"]])",
         "'rack MAX_PER' needs a number from 1 up, how many members a value may have"},
        {R"([["rack","MAX_PER","99999999999999999999999"]])",
         "'rack MAX_PER' needs a number from 1 up, how many members a value may have"},
        {R"([["rack","LIKE"]])", "'rack LIKE' needs a regular expression, like 'rack-[1-3]'"},
        {R"([["rack","UNLIKE",""]])",
         "'rack UNLIKE' needs a regular expression, like 'rack-[1-3]'"},
        {R"([["ra\nck","UNIQUE"]])",
         "a field or value has control characters or more than 256 bytes"},
        {R"([["rack","LIKE",")" + std::string(257, 'a') + R"("]])",
         "a field or value has control characters or more than 256 bytes"},
    };
    for (const Case& c : cases) {
        INFO(c.json);
        CHECK(fault(c.json) == c.why);
    }
    for (const char* const pattern : {"(", "[a", "a**", "*", "a{2", "(?<a", "\\\\"}) {
        INFO(pattern);
        CHECK_THAT(
            fault(R"([["rack","LIKE",")" + std::string{pattern} + R"("]])"),
            Catch::Matchers::StartsWith("'rack LIKE' has no valid regular expression: ") ||
                Catch::Matchers::Equals(""));
    }
    CHECK_FALSE(fault(R"([["rack","LIKE","("]])").empty());
    std::string many = R"([["a","UNIQUE"])";
    for (int i = 0; i < 16; ++i) many += R"(,["a","UNIQUE"])";
    CHECK(fault(many + "]") == "must be at most 16");
}

TEST_CASE("constraint: where one more member may be", "[placement]")
{
    struct Case {
        std::string name;
        Constraint constraint;
        std::string others;
        std::string offered;
        bool fits;
    };
    const Constraint unique{"rack", Operator::unique, ""};
    const Constraint together{"rack", Operator::cluster, ""};
    const Constraint on_r1{"rack", Operator::cluster, "r1"};
    const Constraint even{"rack", Operator::group_by, ""};
    const Constraint over_2{"rack", Operator::group_by, "2"};
    const Constraint over_3{"rack", Operator::group_by, "3"};
    const Constraint like{"rack", Operator::like, "r[1-2]"};
    const Constraint part{"rack", Operator::like, "r"};
    const Constraint unlike{"rack", Operator::unlike, "r[1-2]"};
    const Constraint max_2{"rack", Operator::max_per, "2"};
    const std::vector<Case> cases{
        {"unique, first", unique, "", "r1", true},
        {"unique, another", unique, "r1 r2", "r3", true},
        {"unique, taken", unique, "r1 r2", "r2", false},
        {"cluster, the first chooses", together, "", "r2", true},
        {"cluster, the same", together, "r1 r1", "r1", true},
        {"cluster, another", together, "r1 r1", "r2", false},
        {"cluster by value", on_r1, "", "r1", true},
        {"cluster by value, another", on_r1, "", "r2", false},
        {"group_by, first", even, "", "r1", true},
        {"group_by, a new value", even, "r1 r1", "r2", true},
        {"group_by, as many as on the others", even, "r1 r2", "r1", true},
        {"group_by, more than on another", even, "r1 r1 r2", "r1", false},
        {"group_by, fewer than on another", even, "r1 r1 r2", "r2", true},
        {"group_by 2, only one so far", over_2, "r1", "r1", false},
        {"group_by 2, the second", over_2, "r1", "r2", true},
        {"group_by 2, even", over_2, "r1 r2", "r2", true},
        {"group_by 2, uneven", over_2, "r1 r2 r2", "r2", false},
        {"group_by 2, a third is no harm", over_2, "r1 r2", "r3", true},
        {"group_by 3, waits for the third", over_3, "r1 r2", "r1", false},
        {"like", like, "r1", "r1", true},
        {"like, no", like, "r1", "r3", false},
        {"like, only a part matches", part, "", "r1", false},
        {"unlike", unlike, "", "r3", true},
        {"unlike, no", unlike, "", "r2", false},
        {"max_per, below", max_2, "r1", "r1", true},
        {"max_per, reached", max_2, "r1 r1", "r1", false},
        {"max_per, elsewhere", max_2, "r1 r1", "r2", true},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        CHECK(allows(c.constraint, on(c.offered), on_racks(c.others)) == c.fits);
    }
    // An agent without the field, before anybody is placed: only UNLIKE takes it.
    const Place bare{"host", "", "", {}};
    for (const Constraint& c : {unique, together, on_r1, even, over_2, like, unlike, max_2}) {
        INFO(to_text(c));
        CHECK(allows(c, bare, {}) == (c.op == Operator::unlike));
    }
    // A member that is there without it is on no value.
    CHECK(allows(unique, on("r1"), {bare}));
    CHECK(allows(together, on("r1"), {bare, on("r1")}));
    CHECK(allows(even, on("r1"), {bare, bare, on("r1")}));
}

TEST_CASE("constraint: the fields are the name, the fault domain and attributes", "[placement]")
{
    mesos::Offer offer;
    offer.hostname = "h1";
    offer.region = "eu";
    offer.zone = "eu-1";
    offer.attributes = {{"rack", "r1"}, {"rack", "r2"}, {"gpu", "{0,1}"}, {"jdk", "[6-7]"}};
    const Constraints all = parsed(R"([["rack","UNIQUE"],["gpu","UNIQUE"],["jdk","LIKE","7"]])");
    const Place place = place_of(offer, all);
    CHECK(value_of(place, "hostname") == "h1");
    CHECK(value_of(place, "@hostname") == "h1");
    CHECK(value_of(place, "@region") == "eu");
    CHECK(value_of(place, "@zone") == "eu-1");
    CHECK(value_of(place, "rack") == "r1");
    CHECK_FALSE(value_of(place, "os"));
    CHECK(place_of(offer, {}).attributes.empty());
    CHECK_FALSE(value_of(Place{}, "@zone"));

    const auto fits = [&place](const std::string& json) {
        return allows(parsed("[" + json + "]"), place, {});
    };
    CHECK(fits(R"(["gpu","CLUSTER","{0,1}"])"));
    CHECK(fits(R"(["gpu","LIKE","\\{0,1\\}"])"));
    CHECK(fits(R"(["jdk","LIKE","\\[6-7\\]"])"));
    CHECK_FALSE(fits(R"(["jdk","LIKE","7"])"));
    CHECK_FALSE(fits(R"(["hostname","LIKE","h1"],["@zone","UNLIKE","eu-.*"])"));
}

TEST_CASE("constraint: a pattern that would take for ever is given up", "[placement]")
{
    CHECK(match("deb.*", "debian") == Match::yes);
    CHECK(match("deb", "debian") == Match::no);
    CHECK(match("a|ab", "ab") == Match::yes);
    CHECK(match("(", "(") == Match::given_up);
    const std::string text(200, 'a');
    for (const char* const pattern : {"(a*)*b", "(a|aa)+b", "(.*)*(.*)*(.*)*x", "(a+)+\\1b"}) {
        INFO(pattern);
        const std::string json = std::string{R"([["os","LIKE",")"} + pattern + R"("]])";
        CHECK(match(pattern, text + "!") != Match::yes);
    }
    const Place place{"h", "", "", {{"os", text + "!"}}};
    const Constraint unlike{"os", Operator::unlike, "(a|aa)+b"};
    CHECK(match(unlike.value, text + "!") == Match::given_up);
    CHECK_FALSE(allows(unlike, place, {}));
}

TEST_CASE("constraint: of the agents at hand GROUP_BY takes the emptier value", "[placement]")
{
    const Constraint even{"rack", Operator::group_by, ""};
    CHECK(allows(even, on("r1"), on_racks("r1"), {}));
    CHECK_FALSE(allows(even, on("r1"), on_racks("r1"), {on("r2")}));
    CHECK(allows(even, on("r1"), on_racks("r1"), {on("r1")}));
    CHECK(allows(even, on("r2"), on_racks("r1"), {on("r3")}));
}

TEST_CASE("constraint: whatever is offered in whatever order, none is ever broken", "[placement]")
{
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        Prng random{seed};
        const std::size_t racks = 1 + random.below(5);
        const std::size_t limit = 1 + random.below(3);
        const Constraint unique{"rack", Operator::unique, ""};
        const Constraint together{"rack", Operator::cluster, ""};
        const Constraint max_per{"rack", Operator::max_per, std::to_string(limit)};
        const Constraint even{"rack", Operator::group_by, std::to_string(racks)};
        std::map<Operator, Places> placed;
        for (int i = 0; i < 40; ++i) {
            const Place offered = on("r" + std::to_string(random.below(racks)));
            for (const Constraint& c : {unique, together, max_per, even}) {
                Places& members = placed[c.op];
                if (allows(c, offered, members)) members.push_back(offered);
            }
        }
        const auto counts = [&placed](Operator op) {
            std::map<std::string, std::size_t> result;
            for (const Place& place : placed[op]) ++result[place.attributes.at("rack")];
            return result;
        };
        for (const auto& [rack, number] : counts(Operator::unique)) REQUIRE(number == 1);
        for (const auto& [rack, number] : counts(Operator::max_per)) REQUIRE(number <= limit);
        REQUIRE(counts(Operator::cluster).size() == 1);
        const auto spread = counts(Operator::group_by);
        const auto [least, most] =
            std::ranges::minmax_element(spread, {}, [](const auto& entry) { return entry.second; });
        REQUIRE(most->second - least->second <= 1);
        // Not one more than what is there of each, until every value has its first.
        if (spread.size() < racks) REQUIRE(most->second == 1);
    }
}

TEST_CASE("constraint: says what no agent offers", "[placement]")
{
    const Places offered = on_racks("b1 b2 b1");
    CHECK(
        explain({"rack", Operator::like, "a.*"}, offered, {}) ==
        "no agent offers rack LIKE 'a.*'; offered: b1, b2");
    CHECK(
        explain({"rack", Operator::unique, ""}, offered, on_racks("b1 b2")) ==
        "no agent offers rack UNIQUE; members are on: b1, b2; offered: b1, b2");
    CHECK(
        explain({"os", Operator::cluster, "x"}, offered, on_racks("b1")) ==
        "no agent offers os CLUSTER 'x'; offered: none");
    Places many;
    for (char c = 'a'; c <= 'j'; ++c) many.push_back(on(std::string(1, c)));
    CHECK(
        explain({"rack", Operator::like, "x"}, many, {}) ==
        "no agent offers rack LIKE 'x'; offered: a, b, c, d, e, f, g, h and 2 more");
}

}  // namespace mysos::placement
