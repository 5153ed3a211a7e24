#include "common/mesos/resources.hpp"

#include <catch2/catch.hpp>

namespace mysos::mesos {
namespace {

Resource cpus(double amount)
{
    Resource resource = scalar("cpus", to_thousandths(amount));
    resource.allocation_role = "mysos";
    return resource;
}

Resource labelled_cpus(double amount, const std::string& id)
{
    return reserved(cpus(amount), "mysos", "p", {id});
}

Resource volume(std::int64_t mb, const std::string& id)
{
    Resource resource = reserved(scalar("disk", whole(mb)), "mysos", "p", {id});
    resource.persistence = Persistence{{id}, "p"};
    resource.volume = mesos::Volume{"data", false};
    return resource;
}

}  // namespace

TEST_CASE("resources: scalars are compared in thousandths, as Mesos does", "[mesos]")
{
    CHECK(Pool{{cpus(1)}}.contains({cpus(1.0004)}));
    CHECK_FALSE(Pool{{cpus(1)}}.contains({cpus(1.0006)}));
    CHECK(Pool{{cpus(0.1), cpus(0.2)}}.contains({cpus(0.3)}));
    CHECK(Pool{{cpus(0.3)}}.contains({cpus(0.1), cpus(0.2)}));
}

TEST_CASE("resources: an amount is never assembled from two different items", "[mesos]")
{
    const Pool pool{{cpus(1), labelled_cpus(1, "a")}};
    CHECK_FALSE(pool.contains({cpus(2)}));
    CHECK(pool.contains({cpus(1), labelled_cpus(1, "a")}));
    CHECK_FALSE(pool.contains({labelled_cpus(1, "b")}));
}

TEST_CASE("resources: what counts when items are compared", "[mesos]")
{
    const Resource base = labelled_cpus(1, "a");
    const auto changed = [&base](auto change) {
        Resource other = base;
        change(other);
        return same_item(base, other);
    };
    CHECK(changed([](Resource&) {}));
    CHECK_FALSE(changed([](Resource& r) { r.name = "mem"; }));
    CHECK_FALSE(changed([](Resource& r) { r.allocation_role = "other"; }));
    CHECK_FALSE(changed([](Resource& r) { r.allocation_role.reset(); }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations.clear(); }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations[0].principal.reset(); }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations[0].principal = ""; }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations[0].labels.reset(); }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations[0].labels = Labels{}; }));
    CHECK_FALSE(changed([](Resource& r) { r.reservations[0].kind = Reservation::Kind::fixed; }));
    CHECK_FALSE(changed([](Resource& r) { r.foreign = true; }));
    CHECK_FALSE(changed([](Resource& r) { r.persistence = Persistence{{"v"}, {}}; }));

    SECTION("labels are a collection without order")
    {
        Resource a = base;
        Resource b = base;
        a.reservations[0].labels = Labels{{"x", "1"}, {"y", "2"}};
        b.reservations[0].labels = Labels{{"y", "2"}, {"x", "1"}};
        CHECK(same_item(a, b));
    }
    SECTION("a volume's principal and path are not looked at")
    {
        const Resource a = volume(10, "v");
        Resource b = a;
        b.persistence->principal = "someone";
        b.volume.reset();
        CHECK(same_item(a, b));
    }
}

TEST_CASE("resources: a persistent volume goes whole or not at all", "[mesos]")
{
    Pool pool{{volume(10, "v")}};
    CHECK_FALSE(pool.contains({volume(9, "v")}));
    CHECK_FALSE(pool.contains({volume(11, "v")}));
    CHECK_FALSE(pool.contains({volume(10, "w")}));
    CHECK(pool.take(volume(10, "v")));
    CHECK(pool.items().empty());
}

TEST_CASE("resources: volumes never merge", "[mesos]")
{
    const Pool pool{{volume(10, "v"), volume(10, "v")}};
    CHECK(pool.items().size() == 2);
}

TEST_CASE("resources: ranges are subsets, taken from the middle too", "[mesos]")
{
    Pool pool{{ports({{31000, 31099}})}};
    CHECK(pool.take(ports({{31010, 31010}, {31050, 31051}})));
    REQUIRE(pool.items().size() == 1);
    CHECK(
        std::get<Ranges>(pool.items()[0].value) ==
        Ranges{{31000, 31009}, {31011, 31049}, {31052, 31099}});
    CHECK_FALSE(pool.contains({ports({{31010, 31010}})}));
    CHECK_FALSE(pool.contains({ports({{31090, 31100}})}));
    pool.add(ports({{31010, 31010}}));
    CHECK(pool.contains({ports({{31000, 31049}})}));
}

TEST_CASE("resources: ranges that touch or overlap are one", "[mesos]")
{
    CHECK(normalised({{5, 6}, {1, 2}, {3, 4}}) == Ranges{{1, 6}});
    CHECK(normalised({{1, 10}, {2, 3}}) == Ranges{{1, 10}});
    CHECK(normalised({{1, 2}, {4, 5}}) == Ranges{{1, 2}, {4, 5}});
    CHECK(normalised({{9, ~0ULL}, {10, 11}}) == Ranges{{9, ~0ULL}});
    CHECK(normalised({}).empty());
}

TEST_CASE("resources: sets are subsets", "[mesos]")
{
    Resource set;
    set.name = "labels";
    set.value = Set{"a", "b"};
    Resource wanted = set;
    wanted.value = Set{"b"};
    Pool pool{{set}};
    CHECK(pool.take(wanted));
    CHECK_FALSE(pool.take(wanted));
}

TEST_CASE("resources: what is foreign is not in the pool", "[mesos]")
{
    Resource resource = scalar("disk", whole(10));
    resource.foreign = true;
    CHECK(Pool{{resource}}.items().empty());
}

TEST_CASE("resources: a failed take changes nothing", "[mesos]")
{
    Pool pool{{cpus(1)}};
    CHECK_FALSE(pool.take(cpus(2)));
    CHECK(pool.items() == Resources{cpus(1)});
    CHECK(pool.take(cpus(0)));
    CHECK(pool.items() == Resources{cpus(1)});
}

TEST_CASE("resources: our label names the volume that a reservation is for", "[mesos]")
{
    CHECK(labelled(labelled_cpus(1, "mysos-demo-1-aa")) == PersistenceId{"mysos-demo-1-aa"});
    CHECK(labelled(cpus(1)) == std::nullopt);
    Resource strange = labelled_cpus(1, "x");
    strange.reservations[0].labels = Labels{{"mysos", std::nullopt}, {"other", "x"}};
    CHECK(labelled(strange) == std::nullopt);
}

TEST_CASE("resources: are printed for a person", "[mesos]")
{
    CHECK(to_text(cpus(1.5)) == "cpus:1.5");
    CHECK(to_text(volume(10, "v")) == "disk(mysos)[v]:10");
    CHECK(to_text(ports({{1, 2}, {5, 5}})) == "ports:[1-2,5-5]");
}

}  // namespace mysos::mesos
