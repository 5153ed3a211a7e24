#include "common/volume/volume.hpp"

#include "test/support/offers.hpp"

#include <catch2/catch.hpp>

namespace mysos::volume {

using namespace mysos::test;
using placement::Lack;

namespace {

Want want()
{
    Want result;
    result.id.text = "v";
    result.need = {1000, 512, 2048, 2};
    result.role = "mysos";
    return result;
}

/// All that was reserved for "v", as it comes back when task and executor have ended.
mesos::Resources whole_return()
{
    return {
        ours(cpus(1000), "v"),
        ours(mem(512), "v"),
        ours(disk(1), "v"),
        ours(ports(31004, 31005), "v"),
        stored(2047, "v")};
}

Plan planned(const mesos::Offer& offer, const Want& want)
{
    const auto result = plan(offer, want);
    REQUIRE(std::holds_alternative<Plan>(result));
    return std::get<Plan>(result);
}

Unfit unfit(const mesos::Offer& offer, const Want& want)
{
    const auto result = plan(offer, want);
    REQUIRE(std::holds_alternative<Unfit>(result));
    return std::get<Unfit>(result);
}

/// What the master would do with it: every operation applies, and the launch fits.
void check_it_applies(const mesos::Offer& offer, const Plan& plan)
{
    mesos::Pool pool{offer.resources};
    for (const mesos::Operation& operation : plan.operations) {
        if (const auto* reserve = std::get_if<mesos::Reserve>(&operation)) {
            for (const mesos::Resource& target : reserve->resources) {
                mesos::Resource source = target;
                source.reservations.pop_back();
                REQUIRE(pool.take(source));
                pool.add(target);
            }
        } else {
            for (const mesos::Resource& target : std::get<mesos::Create>(operation).volumes) {
                mesos::Resource source = target;
                source.persistence.reset();
                source.volume.reset();
                REQUIRE(pool.take(source));
                pool.add(target);
            }
        }
    }
    for (const mesos::Resource& resource : plan.task) REQUIRE(pool.take(resource));
    for (const mesos::Resource& resource : plan.executor) REQUIRE(pool.take(resource));
}

}  // namespace

TEST_CASE("volume: a fresh member reserves, creates and launches at once", "[volume]")
{
    const Plan result = planned(big_offer(1), want());
    REQUIRE(result.operations.size() == 2);
    const auto reserve = std::get<mesos::Reserve>(result.operations[0]);
    CHECK(
        reserve.resources == mesos::Resources{
                                 ours(cpus(1000), "v"),
                                 ours(mem(512), "v"),
                                 ours(disk(2048), "v"),
                                 ours(ports(31000, 31001), "v")});
    CHECK(
        std::get<mesos::Create>(result.operations[1]).volumes ==
        mesos::Resources{stored(2047, "v")});
    CHECK(
        result.task == mesos::Resources{
                           ours(cpus(990), "v"),
                           ours(mem(480), "v"),
                           stored(2047, "v"),
                           ours(ports(31000, 31001), "v")});
    CHECK(
        result.executor ==
        mesos::Resources{ours(cpus(10), "v"), ours(mem(32), "v"), ours(disk(1), "v")});
    CHECK(result.port == 31000);
    CHECK(result.peer_port == 31001);
    check_it_applies(big_offer(1), result);
}

TEST_CASE("volume: the framework's principal stands in reservation and volume", "[volume]")
{
    Want wanted = want();
    wanted.principal = "p";
    const Plan result = planned(big_offer(1), wanted);
    const auto create = std::get<mesos::Create>(result.operations.at(1));
    CHECK(create.volumes.at(0).persistence->principal == "p");
    CHECK(create.volumes.at(0).reservations.at(0).principal == "p");
}

TEST_CASE("volume: a relaunch uses what was reserved, on the same ports", "[volume]")
{
    Want wanted = want();
    wanted.has_data = true;
    wanted.port = 31004;
    wanted.peer_port = 31005;
    mesos::Resources resources = whole_return();
    resources.push_back(cpus(8000));
    resources.push_back(ports(31000, 31003));
    const Plan result = planned(offer(9, resources), wanted);
    CHECK(result.operations.empty());
    CHECK(result.port == 31004);
    CHECK(result.peer_port == 31005);
    check_it_applies(offer(9, resources), result);
}

TEST_CASE("volume: ports that others of the machine have are the last choice", "[volume]")
{
    Want wanted = want();
    wanted.taken_ports = {31000, 31002};
    const Plan result = planned(big_offer(1), wanted);
    CHECK(result.port == 31001);
    CHECK(result.peer_port == 31003);

    const auto few = offer(1, {cpus(4000), mem(4096), disk(8192), ports(31000, 31001)});
    CHECK(planned(few, wanted).port == 31001);
    CHECK(planned(few, wanted).peer_port == 31000);

    // Its own stay its own.
    wanted.port = 31002;
    wanted.peer_port = 31007;
    CHECK(planned(big_offer(1), wanted).port == 31002);
    CHECK(planned(big_offer(1), wanted).peer_port == 31007);
}

TEST_CASE("volume: a member with data is launched on its own volume only", "[volume]")
{
    Want wanted = want();
    wanted.has_data = true;
    CHECK(unfit(big_offer(1), wanted).why == Unfit::Why::no_volume);
    mesos::Resources resources = big_offer(1).resources;
    resources.push_back(stored(2047, "other"));
    resources.push_back(ours(cpus(1000), "v"));
    CHECK(unfit(offer(1, resources), wanted).why == Unfit::Why::no_volume);
}

TEST_CASE("volume: while the executor's share is still out, the next offer is awaited", "[volume]")
{
    Want wanted = want();
    wanted.has_data = true;
    mesos::Resources resources{
        ours(cpus(990), "v"),
        ours(mem(480), "v"),
        ours(ports(31004, 31005), "v"),
        stored(2047, "v"),
        cpus(4000),
        mem(4096),
        disk(100),
        ports(31000, 31003)};
    const Unfit result = unfit(offer(1, resources), wanted);
    CHECK(result.why == Unfit::Why::partial);
    CHECK(
        result.lacks ==
        std::vector<Lack>{
            {Lack::Kind::cpus, 1000, 990}, {Lack::Kind::mem, 512, 480}, {Lack::Kind::disk, 1, 0}});

    SECTION("unless that was lost for good")
    {
        wanted.top_up = true;
        const Plan plan = planned(offer(1, resources), wanted);
        REQUIRE(plan.operations.size() == 1);
        check_it_applies(offer(1, resources), plan);
    }
}

TEST_CASE("volume: an attempt that only reserved is completed", "[volume]")
{
    const mesos::Resources resources{
        ours(cpus(1000), "v"),
        ours(mem(512), "v"),
        ours(disk(2048), "v"),
        ours(ports(31000, 31001), "v"),
        cpus(3000)};
    const Plan result = planned(offer(1, resources), want());
    REQUIRE(result.operations.size() == 1);
    CHECK(std::holds_alternative<mesos::Create>(result.operations[0]));
    check_it_applies(offer(1, resources), result);
}

TEST_CASE("volume: an attempt that never launched is launched", "[volume]")
{
    const Plan result = planned(offer(1, whole_return()), want());
    CHECK(result.operations.empty());
    check_it_applies(offer(1, whole_return()), result);
}

TEST_CASE("volume: what an operator reserved for the role is used as it is", "[volume]")
{
    const auto fixed = [](mesos::Resource resource) {
        resource.reservations.push_back({mesos::Reservation::Kind::fixed, "mysos", {}, {}});
        return resource;
    };
    const mesos::Resources resources{
        fixed(cpus(4000)), fixed(mem(4096)), fixed(disk(4096)), ports(31000, 31009)};
    const Plan result = planned(offer(1, resources), want());
    REQUIRE(result.operations.size() == 2);
    CHECK(std::get<mesos::Reserve>(result.operations[0]).resources.size() == 1);
    check_it_applies(offer(1, resources), result);
}

TEST_CASE("volume: what is short is said", "[volume]")
{
    Want wanted = want();
    wanted.need.milli_cpus = 64000;
    CHECK(
        unfit(big_offer(1), wanted) ==
        Unfit{Unfit::Why::lacking, {{Lack::Kind::cpus, 64000, 4000}}});
    const auto two_ports =
        unfit(offer(1, {cpus(4000), mem(4096), disk(8192), ports(31000, 31000)}), want());
    CHECK(two_ports == Unfit{Unfit::Why::lacking, {{Lack::Kind::ports, 2, 1}}});
    CHECK(unfit(offer(1, {cpus(1)}), want()).lacks.size() == 4);
}

TEST_CASE("volume: ports above the range of ports are not chosen", "[volume]")
{
    const auto strange = offer(1, {cpus(4000), mem(4096), disk(8192), ports(0, 1)});
    CHECK(unfit(strange, want()).why == Unfit::Why::lacking);
    const auto high = offer(1, {cpus(4000), mem(4096), disk(8192), ports(65535, 70000)});
    CHECK(unfit(high, want()).why == Unfit::Why::lacking);
}

TEST_CASE("volume: a retired one is destroyed when due, not earlier", "[volume]")
{
    mesos::Resources resources = whole_return();
    resources.push_back(stored(10, "other"));
    resources.push_back(ours(cpus(5), "other"));
    resources.push_back(cpus(4000));
    const mesos::Offer offered = offer(1, resources);
    CHECK(release(offered, {"v"}, false).empty());

    const auto operations = release(offered, {"v"}, true);
    REQUIRE(operations.size() == 2);
    CHECK(std::get<mesos::Destroy>(operations[0]).volumes == mesos::Resources{stored(2047, "v")});
    mesos::Pool pool{resources};
    REQUIRE(pool.take(stored(2047, "v")));
    pool.add(ours(disk(2047), "v"));
    for (const auto& item : std::get<mesos::Unreserve>(operations[1]).resources) {
        CHECK_FALSE(item.persistence);
        CHECK(pool.take(item));
    }
    CHECK(
        pool.items() == mesos::Resources{stored(10, "other"), ours(cpus(5), "other"), cpus(4000)});
}

TEST_CASE("volume: reservations without a volume are given back at once", "[volume]")
{
    const auto operations = release(offer(1, {ours(cpus(1000), "v"), cpus(1)}), {"v"}, false);
    REQUIRE(operations.size() == 1);
    CHECK(
        std::get<mesos::Unreserve>(operations[0]).resources ==
        mesos::Resources{ours(cpus(1000), "v")});
    CHECK(release(big_offer(1), {"v"}, true).empty());
}

TEST_CASE("volume: tells which ids an offer holds in our role", "[volume]")
{
    mesos::Resource others = stored(1, "x");
    others.reservations[0].role = "other";
    const auto offered =
        offer(1, {stored(10, "b"), ours(cpus(5), "b"), ours(mem(5), "a"), others, cpus(1)});
    CHECK(ids(offered, "mysos") == std::vector<mesos::PersistenceId>{{"a"}, {"b"}});
}

}  // namespace mysos::volume
