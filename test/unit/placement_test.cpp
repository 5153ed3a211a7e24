#include "common/placement/placement.hpp"

#include "test/support/offers.hpp"

#include <catch2/catch.hpp>

namespace mysos::placement {

using namespace mysos::test;

TEST_CASE("placement: what a new member could take from an offer", "[placement]")
{
    CHECK(available(big_offer(1), "mysos", Unreserved::used) == Amounts{4000, 4096, 8192, 100});

    mesos::Resource foreign = disk(9999);
    foreign.foreign = true;
    mesos::Resource fixed = cpus(6000);
    fixed.reservations.push_back({mesos::Reservation::Kind::fixed, "mysos", {}, {}});
    mesos::Resource others = mem(9999);
    others.reservations.push_back({mesos::Reservation::Kind::fixed, "other", {}, {}});
    const auto mixed = offer(
        1, {cpus(500), fixed, others, mem(10), foreign, stored(100, "v"), ours(mem(77), "v")});
    CHECK(available(mixed, "mysos", Unreserved::used) == Amounts{6000, 10, 0, 0});
    CHECK(available(mixed, "mysos", Unreserved::left) == Amounts{6000, 0, 0, 0});
}

TEST_CASE(
    "placement: says which resource no agent offers, and the most that one did", "[placement]")
{
    const std::map<mesos::AgentId, Offered> offered{
        {{"a"}, {{4000, 4096, 8192, 100}, {"h1", "", "", {{"rack", "r1"}}}}},
        {{"b"}, {{2500, 8192, 8192, 100}, {"h2", "", "", {{"rack", "r2"}}}}}};
    const auto why = [&offered](const Amounts& need, std::set<mesos::AgentId> occupied = {}) {
        return explain(need, offered, occupied, {}, {});
    };
    CHECK(why({1000, 512, 2048, 2}).empty());
    CHECK(why({64000, 512, 2048, 2}) == "no agent offers 64 cpus; largest offered 4");
    CHECK(
        why({1000, 9000, 9000, 2}) ==
        "no agent offers 9000 MB of memory; largest offered 8192; "
        "no agent offers 9000 MB of disk; largest offered 8192");
    CHECK(
        why({3500, 5000, 100, 2}) ==
        "no agent offers 3.5 cpus, 5000 MB of memory, 100 MB of disk and 2 ports at once");
    CHECK(
        why({3500, 100, 100, 2}, {{"a"}}) ==
        "no agent without a member of this cluster offers 3.5 cpus, 100 MB of memory, 100 MB of "
        "disk and 2 ports at once");
    CHECK(
        why({1000, 512, 2048, 2}, {{"a"}, {"b"}}) ==
        "every agent that made an offer holds a member of this cluster already");
    CHECK(explain({1, 1, 1, 2}, {}, {}, {}, {}) == "no offer has come yet");

    const auto under = [&offered](
                           const Constraints& constraints,
                           const Amounts& need,
                           const std::set<mesos::AgentId>& occupied = {}) {
        return explain(need, offered, occupied, constraints, {});
    };
    const Amounts little{1000, 512, 2048, 2};
    CHECK(under({{"rack", Operator::like, "r."}}, little).empty());
    CHECK(
        under({{"rack", Operator::like, "a.*"}, {"os", Operator::unique, ""}}, little) ==
        "no agent offers rack LIKE 'a.*'; offered: r1, r2; "
        "no agent offers os UNIQUE; offered: none");
    // Each would do alone.
    CHECK(
        under({{"rack", Operator::like, "r1"}, {"hostname", Operator::like, "h2"}}, little) ==
        "no agent that satisfies rack LIKE 'r1' and hostname LIKE 'h2' offers 1 cpus, 512 MB of "
        "memory, 2048 MB of disk and 2 ports at once");
    CHECK(
        under({{"rack", Operator::like, "r2"}}, {3000, 512, 2048, 2}, {{"a"}}) ==
        "no agent without a member of this cluster that satisfies rack LIKE 'r2' offers 3 cpus, "
        "512 MB of memory, 2048 MB of disk and 2 ports at once");
}

TEST_CASE("placement: what is short is data", "[placement]")
{
    CHECK(lacks({1, 2, 3, 2}, {1, 2, 3, 2}).empty());
    CHECK(
        lacks({2, 2, 3, 2}, {1, 2, 3, 1}) ==
        std::vector<Lack>{{Lack::Kind::cpus, 2, 1}, {Lack::Kind::ports, 2, 1}});
    CHECK(to_text(Lack::Kind::cpus, 50) == "0.05 cpus");
    CHECK(to_text(Lack::Kind::cpus, 1500) == "1.5 cpus");
}

}  // namespace mysos::placement
