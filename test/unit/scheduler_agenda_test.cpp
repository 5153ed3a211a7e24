#include "common/base/prng.hpp"
#include "scheduler/decide/agenda.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>

using namespace mysos;
using namespace std::chrono_literals;
using scheduler::Agenda;

namespace {

const TimePoint t0{1000s};
constexpr MemberId m1{1};
constexpr MemberId m2{2};

}  // namespace

TEST_CASE("agenda: the earliest cluster is first, and who is due is told by name", "[scheduler]")
{
    Agenda agenda;
    CHECK_FALSE(agenda.first());
    agenda.put("b", t0 + 1s, {});
    agenda.put("a", t0 + 2s, {});
    agenda.put("c", t0 + 3s, {});
    agenda.put("d", std::nullopt, {});
    CHECK(agenda.first() == t0 + 1s);
    CHECK(agenda.due(t0).empty());
    CHECK(agenda.due(t0 + 2s) == std::vector<std::string>{"a", "b"});

    agenda.put("b", t0 + 5s, {});
    CHECK(agenda.first() == t0 + 2s);
    agenda.put("a", std::nullopt, {});
    agenda.erase("c");
    CHECK(agenda.first() == t0 + 5s);
    CHECK(agenda.due(t0 + 9s) == std::vector<std::string>{"b"});
    agenda.erase("b");
    CHECK(agenda == Agenda{});
}

TEST_CASE("agenda: more is wanted only when a member is that was not", "[scheduler]")
{
    Agenda agenda;
    CHECK_FALSE(agenda.take_wants_more());
    agenda.put("a", std::nullopt, {m1});
    agenda.put("b", std::nullopt, {m1});
    CHECK(agenda.take_wants_more());
    CHECK_FALSE(agenda.take_wants_more());

    agenda.put("a", std::nullopt, {m1});
    agenda.put("b", std::nullopt, {});
    CHECK_FALSE(agenda.take_wants_more());
    CHECK(agenda.wanting() == std::vector<std::string>{"a"});

    agenda.put("a", std::nullopt, {m1, m2});
    CHECK(agenda.take_wants_more());
    agenda.put("a", std::nullopt, {m2});
    agenda.put("a", std::nullopt, {m1, m2});
    agenda.erase("a");
    CHECK_FALSE(agenda.take_wants_more());  // It was wanted in between, and is not now.
    CHECK_FALSE(agenda.is_anybody_wanting());
}

TEST_CASE("agenda: it agrees with a look at all clusters, whatever happened", "[scheduler]")
{
    struct Row {
        std::optional<TimePoint> at;
        std::set<MemberId> wanting;
    };
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Prng random{seed};
        Agenda agenda;
        std::map<std::string, Row> rows;
        for (int turn = 0; turn < 200; ++turn) {
            const std::string name(1, static_cast<char>('a' + random.below(8)));
            Row row;
            if (random.below(3) != 0) row.at = t0 + std::chrono::seconds{random.below(5)};
            if (random.below(2) == 0) row.wanting = {random.below(2) == 0 ? m1 : m2};
            agenda.put(name, row.at, row.wanting);
            rows[name] = row;

            const TimePoint now = t0 + std::chrono::seconds{random.below(5)};
            std::optional<TimePoint> first;
            std::vector<std::string> due;
            std::vector<std::string> wanting;
            for (const auto& [key, one] : rows) {
                if (one.at) first = first ? std::min(*first, *one.at) : *one.at;
                if (one.at && *one.at <= now) due.push_back(key);
                if (!one.wanting.empty()) wanting.push_back(key);
            }
            REQUIRE(agenda.first() == first);
            REQUIRE(agenda.due(now) == due);
            REQUIRE(agenda.wanting() == wanting);
        }
    }
}
