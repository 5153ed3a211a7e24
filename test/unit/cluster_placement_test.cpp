#include "common/cluster/cluster.hpp"
#include "test/support/cluster_of_three.hpp"

#include <catch2/catch.hpp>

#include <vector>

namespace mysos::cluster {

using namespace mysos::test;
using namespace std::chrono_literals;
using placement::Constraint;
using placement::Operator;

namespace {

const Constraint unique_rack{"rack", Operator::unique, ""};

State fresh_with(std::uint32_t num_nodes, placement::Constraints constraints)
{
    State state = fresh(num_nodes);
    state.record.constraints = std::move(constraints);
    return state;
}

mesos::Offer on_rack(int agent, const std::string& rack)
{
    mesos::Offer offer = big_offer(agent);
    offer.attributes = {{"rack", rack}, {"os", "debian"}};
    return offer;
}

bool takes(State& state, const mesos::Offer& offer)
{
    return find<AcceptOffer>(give(state, OfferArrived{offer})).has_value();
}

}  // namespace

TEST_CASE("cluster: members are placed as its constraints say", "[cluster]")
{
    State state = fresh_with(3, {unique_rack, {"os", Operator::like, "deb.*"}});
    CHECK(takes(state, on_rack(1, "r1")));
    CHECK_FALSE(takes(state, on_rack(2, "r1")));
    CHECK_FALSE(takes(state, big_offer(3)));
    CHECK(takes(state, on_rack(4, "r2")));
    CHECK(
        waits_for(state, m3, t0) ==
        "no agent offers rack UNIQUE; members are on: r1, r2; offered: none, r1, r2");
    CHECK(state.record.members.at(m2).hostname == "host-4");
    CHECK(
        state.record.members.at(m2).attributes ==
        std::map<std::string, std::string>{{"rack", "r2"}, {"os", "debian"}});
}

TEST_CASE("cluster: what constraints need is known after a restart", "[cluster]")
{
    State before = fresh_with(2, {unique_rack, {"@zone", Operator::max_per, "1"}});
    mesos::Offer first = on_rack(1, "r1");
    first.region = "eu";
    first.zone = "eu-1";
    CHECK(takes(before, first));
    State state = restored(before.record);
    static_cast<void>(give(state, Started{}));
    mesos::Offer second = on_rack(2, "r1");
    second.zone = "eu-2";
    CHECK_FALSE(takes(state, second));
    second.attributes.at(0).text = "r2";
    second.zone = "eu-1";
    CHECK_FALSE(takes(state, second));
    second.zone = "eu-2";
    CHECK(takes(state, second));
}

TEST_CASE("cluster: a successor goes where the lost member's rack is, not the others'", "[cluster]")
{
    State state = three();
    state.record.constraints = {unique_rack};
    for (auto& [id, member] : state.record.members) {
        member.attributes["rack"] = "r" + std::to_string(static_cast<std::uint32_t>(id));
    }
    mesos::TaskStatus lost = told(mesos::TaskState::lost);
    lost.task_id = state.record.members.at(m3).task_id;
    static_cast<void>(give(state, StatusArrived{m3, lost}));
    static_cast<void>(step(state, config(), DeadlinePassed{}, t0 + config().replace_after));
    REQUIRE(state.record.members.contains(m4));
    REQUIRE(state.record.members.contains(m3));
    CHECK_FALSE(takes(state, on_rack(7, "r1")));
    CHECK_FALSE(takes(state, on_rack(7, "r2")));
    CHECK(takes(state, on_rack(7, "r3")));
}

TEST_CASE("cluster: a member with data goes to its volume, whatever the constraints", "[cluster]")
{
    State state = launched();
    Member& member = state.record.members.at(m1);
    member.volume_created = true;
    member.launched = false;
    state.record.constraints = {{"rack", Operator::like, "nowhere"}};
    const std::string id = member.persistence_id.text;
    mesos::Offer back = offer(
        1,
        {ours(cpus(1000), id),
         ours(mem(512), id),
         stored(2047, id),
         ours(disk(1), id),
         ours(ports(31000, 31001), id)});
    CHECK(takes(state, back));
}

TEST_CASE("cluster: one agent holds two members only where that is allowed", "[cluster]")
{
    State apart = fresh(2);
    CHECK(takes(apart, big_offer(1)));
    CHECK_FALSE(takes(apart, big_offer(1)));
    State together = fresh(3);
    together.record.colocate = true;
    CHECK(takes(together, big_offer(1)));
    CHECK(takes(together, big_offer(1)));
    // Constraints are kept to even so.
    together.record.constraints = {{"hostname", Operator::max_per, "2"}};
    CHECK_FALSE(takes(together, big_offer(1)));
    CHECK(takes(together, big_offer(2)));
}

TEST_CASE("cluster: of the racks that are offered at once GROUP_BY uses each", "[cluster]")
{
    const std::vector<mesos::Offer> made{
        on_rack(1, "r1"), on_rack(2, "r1"), on_rack(3, "r2"), on_rack(4, "r2")};
    const std::span<const mesos::Offer> all{made};
    const auto taken = [&](State& state) {
        std::vector<std::string> hosts;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const OfferArrived in{made[i], {}, all.subspan(i + 1)};
            if (find<AcceptOffer>(give(state, in))) hosts.push_back(made[i].hostname);
        }
        return hosts;
    };
    State two = fresh_with(2, {{"rack", Operator::group_by, ""}});
    CHECK(taken(two) == std::vector<std::string>{"host-1", "host-3"});
    State small = fresh_with(2, {{"rack", Operator::group_by, ""}});
    small.record.size.milli_cpus = 64'000;
    CHECK(taken(small).empty());
    State three = fresh_with(3, {{"rack", Operator::group_by, "3"}});
    CHECK(taken(three) == std::vector<std::string>{"host-1", "host-3"});
    CHECK(
        waits_for(three, m3, t0) ==
        "no agent offers rack GROUP_BY '3'; members are on: r1, r2; offered: r1, r2");
}

TEST_CASE("cluster: another region is only for those who ask for it", "[cluster]")
{
    mesos::Offer far = big_offer(1);
    far.region = "us";
    mesos::Offer near = big_offer(2);
    near.region = "eu";
    const auto home = [](State state) {
        state.home_region = "eu";
        return state;
    };
    State plain = home(fresh(1));
    CHECK_FALSE(takes(plain, far));
    CHECK(waits_for(plain, m1, t0) == "no agent offers @region CLUSTER 'eu'; offered: us");
    CHECK(takes(plain, near));
    State anywhere = home(fresh_with(1, {{"@region", Operator::like, ".*"}}));
    CHECK(takes(anywhere, far));
    State without_domains = fresh(1);
    CHECK(takes(without_domains, far));
}

TEST_CASE("cluster: what is reserved for nobody can be left to others", "[cluster]")
{
    Config modest = config();
    modest.unreserved = placement::Unreserved::left;
    State state = fresh(1);
    CHECK_FALSE(find<AcceptOffer>(step(state, modest, OfferArrived{big_offer(1)}, t0)));
    CHECK(
        waits_for(state, m1, t0) ==
        "no agent offers 1 cpus; largest offered 0; no agent offers 512 MB of memory; largest "
        "offered 0; no agent offers 2048 MB of disk; largest offered 0; no agent offers 2 ports; "
        "largest offered 0");
    mesos::Offer by_operator = big_offer(1);
    for (mesos::Resource& resource : by_operator.resources) {
        resource.reservations.push_back({mesos::Reservation::Kind::fixed, "mysos", {}, {}});
    }
    const auto accept = find<AcceptOffer>(step(state, modest, OfferArrived{by_operator}, t0));
    REQUIRE(accept);
    for (const mesos::Operation& operation : accept->accept.operations) {
        CHECK_FALSE(std::holds_alternative<mesos::Reserve>(operation));
    }
}

TEST_CASE(
    "cluster: of those that can begin the one with fewest primaries beside it leads", "[cluster]")
{
    const auto first_of = [](std::map<MemberId, std::size_t> beside) {
        State state = fresh(3);
        for (int agent = 1; agent <= 3; ++agent) CHECK(takes(state, big_offer(agent)));
        // Both are ready before anybody looks.
        state.primaries_beside = std::move(beside);
        for (const MemberId id : {m2, m3}) {
            MemberState& seen = state.members.at(id);
            control::Observation ready;
            ready.phase = control::Phase::fenced;
            ready.answers = true;
            ready.empty = true;
            seen.stream = stream_of(id);
            seen.observation = ready;
            seen.understood.emplace();
            seen.understood->phase = ready.phase;
            seen.understood->answers = true;
        }
        static_cast<void>(give(state, DeadlinePassed{}));
        return state.record.primary;
    };
    CHECK(first_of({}) == m2);
    CHECK(first_of({{m2, 2}, {m3, 1}}) == m3);
    CHECK(first_of({{m1, 0}, {m2, 1}, {m3, 1}}) == m2);
}

}  // namespace mysos::cluster
