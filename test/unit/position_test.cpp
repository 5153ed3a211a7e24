#include "common/mysql/position.hpp"

#include "common/base/prng.hpp"
#include "common/mysql/errc.hpp"
#include "test/support/builders.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

using namespace mysos;
using namespace mysos::mysql;
using namespace mysos::test;

namespace {

const std::string a = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string b = "c0ffee00-0000-4000-8000-000000000001";

/// The same thing, one transaction at a time.
using Plain = std::set<std::tuple<int, int, std::uint64_t>>;

std::string text_of(const Plain& plain)
{
    const std::vector<std::string> uuids{a, b};
    const std::vector<std::string> tags{"", ":one", ":two"};
    std::string text;
    for (const auto& [uuid, tag, number] : plain) {
        if (!text.empty()) text += ",\n";
        text += uuids.at(static_cast<std::size_t>(uuid)) + tags.at(static_cast<std::size_t>(tag)) +
                ":" + std::to_string(number);
    }
    return text;
}

Plain draw(Prng& prng)
{
    Plain plain;
    const std::uint64_t runs = prng.below(8);
    for (std::uint64_t i = 0; i < runs; ++i) {
        const int uuid = static_cast<int>(prng.below(2));
        const int tag = static_cast<int>(prng.below(3));
        const std::uint64_t first = 1 + prng.below(20);
        const std::uint64_t length = 1 + prng.below(6);
        for (std::uint64_t n = first; n < first + length; ++n) plain.emplace(uuid, tag, n);
    }
    return plain;
}

template <class Algorithm>
Plain combined(const Algorithm& algorithm, const Plain& x, const Plain& y)
{
    Plain result;
    algorithm(x.begin(), x.end(), y.begin(), y.end(), std::inserter(result, result.end()));
    return result;
}

GtidSet set_of(const Plain& plain)
{
    return GtidSet::parse(text_of(plain)).value();
}

std::string list_of(const std::map<std::uint32_t, std::uint64_t>& plain)
{
    std::string text;
    for (const auto& [domain, sequence] : plain) {
        if (!text.empty()) text += ",";
        text += std::to_string(domain) + "-7-" + std::to_string(sequence);
    }
    return text;
}

}  // namespace

TEST_CASE("gtid set: what servers print is read and printed canonically", "[position]")
{
    struct Case {
        std::string name;
        std::string read;
        std::string printed;
        std::uint64_t count;
    };
    const std::vector<Case> cases{
        {"nothing", "", "", 0},
        {"blank", " \n", "", 0},
        {"one", a + ":1", a + ":1", 1},
        {"intervals", a + ":1-5:7:9-10", a + ":1-5:7:9-10", 8},
        {"two sources with a newline", b + ":1-2,\n" + a + ":3", a + ":3," + b + ":1-2", 3},
        {"joined", a + ":1-3:4-5," + a + ":6", a + ":1-6", 6},
        {"overlapping, unordered", a + ":5-9:1-6", a + ":1-9", 9},
        {"tagged", a + ":1-5:blue:2-3:7", a + ":1-5:blue:2-3:7", 8},
        {"only tagged", a + ":blue:2", a + ":blue:2", 1},
        {"two tags, unordered", a + ":z:1:_a1:4," + a + ":9", a + ":9:_a1:4:z:1", 3},
        {"upper case", "3E11FA47-71CA-11E1-9E33-C80AA9429562:Blue:1", a + ":blue:1", 1},
        {"spaces everywhere", " " + a + " : 1 - 5 : blue : 2 ", a + ":1-5:blue:2", 6},
        {"the last number", a + ":9223372036854775806", a + ":9223372036854775806", 1},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const auto set = GtidSet::parse(c.read);
            REQUIRE(set.has_value());
            CHECK(set->to_text() == c.printed);
            CHECK(set->count() == c.count);
            CHECK(GtidSet::parse(c.printed).value() == *set);
        }
    }
}

TEST_CASE("gtid set: what no server prints is refused", "[position]")
{
    const std::vector<std::string> cases{
        ",",
        a,
        a + ":",
        a + ":1,",
        "," + a + ":1",
        a + ":1:",
        a + ":0",
        a + ":0-5",
        a + ":5-4",
        a + ":1-",
        a + ":-1",
        a + ":1-2-3",
        a + ":9223372036854775807",
        a + ":99999999999999999999",
        a + ":1x",
        a + ":blue",
        a + ":1:blue",
        a + ":blue:red:1",
        a + ":1:bl-ue:2",
        a + ":abcdefghijklmnopqrstuvwxyz0123456:1",
        "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
        "3e11fa4g-71ca-11e1-9e33-c80aa9429562:1",
        "3e11fa47071ca-11e1-9e33-c80aa9429562:1",
        a + ":1 2",
        a + ":1;" + b + ":1",
        "0-1-5",
        std::string(1, '\0'),
    };
    for (const std::string& text : cases) {
        INFO(text);
        const auto set = GtidSet::parse(text);
        REQUIRE(set.has_error());
        CHECK(set.error() == Errc::position_malformed);
    }
}

TEST_CASE("gtid set: the algebra agrees with plain sets", "[position]")
{
    Prng prng{42};
    for (int i = 0; i < 3'000; ++i) {
        const Plain x = draw(prng);
        const Plain y =
            prng.one_in(4) ? combined([](auto... s) { std::set_union(s...); }, x, {}) : draw(prng);
        INFO("x = " << text_of(x) << "\ny = " << text_of(y));
        const GtidSet set_x = set_of(x);
        const GtidSet set_y = set_of(y);
        REQUIRE(set_x.count() == x.size());
        REQUIRE(set_x.includes(set_y) == std::ranges::includes(x, y));
        REQUIRE(
            set_x.unite(set_y) == set_of(combined([](auto... s) { std::set_union(s...); }, x, y)));
        REQUIRE(
            set_x.subtract(set_y) ==
            set_of(combined([](auto... s) { std::set_difference(s...); }, x, y)));
        REQUIRE(
            set_x.intersect(set_y) ==
            set_of(combined([](auto... s) { std::set_intersection(s...); }, x, y)));
        REQUIRE(GtidSet::parse(set_x.to_text()).value() == set_x);
    }
}

TEST_CASE("gtid set: counts are capped instead of wrapping", "[position]")
{
    const std::string all = ":1-9223372036854775806";
    const auto set = GtidSet::parse(a + all + ":x" + all + "," + b + all);
    REQUIRE(set.has_value());
    CHECK(set->count() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("gtid list: what servers print is read and printed", "[position]")
{
    struct Case {
        std::string name;
        std::string read;
        std::string printed;
    };
    const std::vector<Case> cases{
        {"nothing", "", ""},
        {"one", "0-1-100", "0-1-100"},
        {"two domains", "1-2-3, 0-1-100", "0-1-100,1-2-3"},
        {"binlog state: the highest of a domain", "0-2-7,0-1-9,0-3-8", "0-1-9"},
        {"the largest",
         "4294967295-4294967295-18446744073709551615",
         "4294967295-4294967295-18446744073709551615"},
        {"sequence 0 is nothing", "0-1-0", ""},
        {"newline", "0-1-2,\n1-1-3\n", "0-1-2,1-1-3"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            const auto list = GtidList::parse(c.read);
            REQUIRE(list.has_value());
            CHECK(list->to_text() == c.printed);
        }
    }
    for (const std::string text :
         {",",
          "0",
          "0-1",
          "0-1-",
          "0-1-2-3",
          "-1-2",
          "0--2",
          "0-1-2,",
          "x-1-2",
          "4294967296-1-1",
          "0-1-18446744073709551616",
          "0-1--2",
          "0-1-2 3"}) {
        INFO(text);
        REQUIRE(GtidList::parse(text).has_error());
        CHECK(GtidList::parse(text).error() == Errc::position_malformed);
    }
}

TEST_CASE("gtid list: the algebra goes by domain", "[position]")
{
    Prng prng{7};
    for (int i = 0; i < 2'000; ++i) {
        std::map<std::uint32_t, std::uint64_t> x;
        std::map<std::uint32_t, std::uint64_t> y;
        for (std::uint32_t domain = 0; domain < 4; ++domain) {
            if (!prng.one_in(3)) x[domain] = 1 + prng.below(4);
            if (!prng.one_in(3)) y[domain] = 1 + prng.below(4);
        }
        const bool includes = std::ranges::all_of(
            y, [&x](const auto& e) { return x.contains(e.first) && x.at(e.first) >= e.second; });
        auto unite = x;
        for (const auto& [domain, n] : y) unite[domain] = std::max(unite[domain], n);
        std::map<std::uint32_t, std::uint64_t> intersect;
        for (const auto& [domain, n] : x) {
            if (y.contains(domain)) intersect[domain] = std::min(n, y.at(domain));
        }
        const GtidList list_x = GtidList::parse(list_of(x)).value();
        const GtidList list_y = GtidList::parse(list_of(y)).value();
        INFO(list_of(x) << " and " << list_of(y));
        REQUIRE(list_x.includes(list_y) == includes);
        REQUIRE(list_x.unite(list_y).to_text() == list_of(unite));
        REQUIRE(list_x.intersect(list_y).to_text() == list_of(intersect));
    }
}

TEST_CASE("position: flavours do not mix, and nothing is in everything", "[position]")
{
    const Position set = mysql_position(a + ":1-3");
    const Position list = mariadb_position("0-1-3");
    CHECK_FALSE(set.includes(list));
    CHECK_FALSE(list.includes(set));
    CHECK(set.includes(Position{}));
    CHECK(list.includes(Position{}));
    CHECK_FALSE(Position{}.includes(list));
    CHECK(Position{}.includes(Position{}));
    CHECK(mysql_position("") == mariadb_position(""));
    CHECK(mysql_position("").empty());
    CHECK(set.unite(Position{}) == set);
    CHECK(Position{}.unite(set) == set);
    CHECK(set.intersect(list).empty());
    CHECK(set.intersect(Position{}).empty());
    CHECK(set.diverged_from(list));
    CHECK(set.beyond(list) == std::nullopt);
}

TEST_CASE("position: divergence is what no failover makes", "[position]")
{
    CHECK(mysql_position(a + ":1-3").diverged_from(mysql_position(b + ":1")));
    CHECK(mysql_position(a + ":1:3").diverged_from(mysql_position(a + ":1-2")));
    CHECK_FALSE(mysql_position(a + ":1-3").diverged_from(mysql_position(a + ":1-2")));
    CHECK_FALSE(mysql_position(a + ":1").diverged_from(mysql_position(a + ":1")));
    CHECK(mariadb_position("0-1-5").diverged_from(mariadb_position("0-2-5")));
    CHECK(mariadb_position("0-1-5,1-1-1").diverged_from(mariadb_position("0-1-6")));
    CHECK_FALSE(mariadb_position("0-1-5").diverged_from(mariadb_position("0-2-6")));
}

TEST_CASE("position: what one has beyond the other is counted where that is known", "[position]")
{
    CHECK(mysql_position(a + ":1-9").beyond(mysql_position(a + ":2-4")) == 6);
    CHECK(mysql_position(a + ":1-9").beyond({}) == 9);
    CHECK(mysql_position(a + ":2").beyond(mysql_position(a + ":1-3")) == 0);
    CHECK(Position{}.beyond(mysql_position(a + ":1-3")) == 0);
    CHECK(holds(3, 9).beyond(holds(3, 2)) == 7);
    CHECK(holds(3, 2).beyond(holds(3, 9)) == 0);
    CHECK(holds(3, 2).beyond(holds(4)) == 0);
    CHECK(holds(4).beyond(holds(3, 9)) == std::nullopt);
    CHECK(holds(4).beyond({}) == std::nullopt);
    CHECK(mariadb_position("0-1-5").beyond({}) == 5);
}

TEST_CASE("position: the marker is read from what is held", "[position]")
{
    const Uuid cluster = *parse_uuid(b);
    CHECK(mysql_position(a + ":1-99").marker(cluster) == Epoch{0});
    CHECK(mysql_position(a + ":1-99," + b + ":1-4:7").marker(cluster) == Epoch{7});
    CHECK(mysql_position(b + ":tag:9").marker(cluster) == Epoch{0});
    CHECK(mysql_position(b + ":2:tag:9").marker(cluster) == Epoch{2});
    CHECK(mariadb_position("0-1-99").marker(cluster) == Epoch{0});
    CHECK(holds(5).marker(cluster) == Epoch{5});
    CHECK(holds(5, 1'000'000).marker(cluster) == Epoch{5});
    CHECK(mariadb_position("1-1-99999999999999").marker(cluster) == Epoch{0});
    CHECK(Position{}.marker(cluster) == Epoch{0});
}

TEST_CASE("position: mutilated text never crashes, and what is read prints back", "[position]")
{
    Prng prng{2024};
    const std::string alphabet = "0123456789abcdef-:, \n_xZ";
    const std::vector<std::string> seeds{
        a + ":1-5:7:blue:2-3,\n" + b + ":4", "0-1-100,1-2-18446744073709551615"};
    int understood = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = seeds.at(prng.below(2));
        for (std::uint64_t n = 1 + prng.below(4); n > 0; --n) {
            const std::size_t at = prng.below(text.size());
            const char c = alphabet.at(prng.below(alphabet.size()));
            if (prng.one_in(3)) {
                text.erase(at, 1 + prng.below(5));
            } else if (prng.one_in(2)) {
                text.insert(at, 1, c);
            } else {
                text.at(at) = c;
            }
            if (text.empty()) text = ":";
        }
        for (const Flavor flavor : {Flavor::mysql, Flavor::mariadb}) {
            const auto position = Position::parse(flavor, text);
            if (position.has_error()) continue;
            ++understood;
            INFO(text);
            REQUIRE(Position::parse(flavor, position->to_text()).value() == *position);
        }
    }
    CHECK(understood > 1'000);
}
