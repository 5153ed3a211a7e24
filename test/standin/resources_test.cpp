#include "test/standin/builders.hpp"

#include <catch2/catch.hpp>

using namespace mysos::standin;
using namespace mysos::standin::given;

TEST_CASE("standin: a wanted resource fits only into one single item of the pool", "[standin]")
{
    struct Case {
        std::string name;
        Resources pool;
        Resources wanted;
        bool fits;
    };
    const auto disk = reserved(scalar("disk", 64), "web", "p");
    const std::vector<Case> cases{
        {"all of it", pool({scalar("cpus", 4)}), pool({scalar("cpus", 4)}), true},
        {"a part", pool({scalar("cpus", 4)}), pool({scalar("cpus", 0.5)}), true},
        {"too much", pool({scalar("cpus", 4)}), pool({scalar("cpus", 5)}), false},
        {"rounds down to fit", pool({scalar("cpus", 1)}), pool({scalar("cpus", 1.0004)}), true},
        {"rounds up and does not",
         pool({scalar("cpus", 1)}),
         pool({scalar("cpus", 1.0006)}),
         false},
        {"0.1 + 0.2 is 0.3",
         pool({scalar("cpus", 0.1), scalar("cpus", 0.2)}),
         pool({scalar("cpus", 0.3)}),
         true},
        {"never assembled from reserved and unreserved",
         pool({scalar("cpus", 1), reserved(scalar("cpus", 1), "web")}),
         pool({scalar("cpus", 2)}),
         false},
        {"another principal",
         pool({reserved(scalar("cpus", 1), "web", "p")}),
         pool({reserved(scalar("cpus", 1), "web", "q")}),
         false},
        {"another label",
         pool({labelled(reserved(scalar("cpus", 1), "web"), "a", "1")}),
         pool({labelled(reserved(scalar("cpus", 1), "web"), "a", "2")}),
         false},
        {"without its label",
         pool({labelled(reserved(scalar("cpus", 1), "web"), "a", "1")}),
         pool({reserved(scalar("cpus", 1), "web")}),
         false},
        {"another allocation",
         pool({allocated(scalar("cpus", 1), "web")}),
         pool({allocated(scalar("cpus", 1), "db")}),
         false},
        {"a subset of ports", pool({ports(31000, 31099)}), pool({ports(31010, 31020)}), true},
        {"a port outside", pool({ports(31000, 31099)}), pool({ports(31099, 31100)}), false},
        {"a whole volume", pool({volume(disk, "v1")}), pool({volume(disk, "v1")}), true},
        {"a volume under another path",
         pool({volume(disk, "v1")}),
         pool({volume(disk, "v1", "x")}),
         true},
        {"a part of a volume",
         pool({volume(disk, "v1")}),
         pool({volume(reserved(scalar("disk", 63), "web", "p"), "v1")}),
         false},
        {"another volume", pool({volume(disk, "v1")}), pool({volume(disk, "v2")}), false},
        {"the same volume twice",
         pool({volume(disk, "v1")}),
         pool({volume(disk, "v1"), volume(disk, "v1")}),
         false},
        {"nothing at all", pool({}), pool({scalar("cpus", 0)}), true},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CHECK(c.pool.contains(c.wanted) == c.fits);
        }
    }
}

TEST_CASE("standin: taking off and adding keep unlike items apart", "[standin]")
{
    const auto disk = reserved(scalar("disk", 64), "web", "p");
    Resources all = pool(
        {scalar("cpus", 4),
         reserved(scalar("cpus", 1), "web"),
         ports(31000, 31009),
         volume(disk, "v1"),
         volume(disk, "v2")});
    REQUIRE(all.items().size() == 5);

    all.remove(pool({scalar("cpus", 1), ports(31003, 31004), volume(disk, "v1")}));
    CHECK(
        to_text(all) ==
        "cpus:3; cpus(reservations: [(DYNAMIC,web)]):1; ports:[31000-31002, 31005-31009]; "
        "disk(reservations: [(DYNAMIC,web,p)])[v2:data]:64");

    all.add(pool({ports(31003, 31004), reserved(scalar("cpus", 0.5), "web")}));
    CHECK(
        to_text(all) ==
        "cpus:3; cpus(reservations: [(DYNAMIC,web)]):1.5; ports:[31000-31009]; "
        "disk(reservations: [(DYNAMIC,web,p)])[v2:data]:64");

    all.remove(scalar("cpus", 7));
    CHECK(all.scalar("cpus") == 1500);
}

TEST_CASE("standin: reservations go down to sub-roles, never up", "[standin]")
{
    const auto cpus = reserved(scalar("cpus", 1), "eng");
    CHECK(allocatable_to(scalar("cpus", 1), "anything"));
    CHECK(allocatable_to(cpus, "eng"));
    CHECK(allocatable_to(cpus, "eng/a/b"));
    CHECK_FALSE(allocatable_to(cpus, "engineering"));
    CHECK_FALSE(allocatable_to(reserved(scalar("cpus", 1), "eng/a"), "eng"));
}

TEST_CASE("standin: both forms of a reservation are one", "[standin]")
{
    v1::Resource old = scalar("cpus", 1);
    old.set_role("web");
    old.mutable_reservation()->set_principal("p");
    v1::Resource post = old;
    to_post_form(post);
    CHECK(post.SerializeAsString() == reserved(scalar("cpus", 1), "web", "p").SerializeAsString());
    to_pre_form(post);
    CHECK(post.SerializeAsString() == old.SerializeAsString());

    v1::Resource plain = scalar("cpus", 1);
    to_pre_form(plain);
    CHECK(plain.role() == "*");
    to_post_form(plain);
    CHECK_FALSE(plain.has_role());

    v1::Resource fixed = scalar("cpus", 1);
    fixed.set_role("eng");
    to_post_form(fixed);
    CHECK(fixed.reservations(0).type() == v1::Resource::ReservationInfo::STATIC);
}

TEST_CASE("standin: a resource of a wrong shape is refused", "[standin]")
{
    struct Case {
        std::string name;
        v1::Resource resource;
        bool sound;
    };
    const auto with = [](v1::Resource resource, auto change) {
        change(resource);
        return resource;
    };
    const std::vector<Case> cases{
        {"plain", scalar("cpus", 1), true},
        {"zero", scalar("cpus", 0), true},
        {"half a thousandth", scalar("cpus", 0.0005), true},
        {"rounds to zero", scalar("cpus", 0.0004), false},
        {"negative", scalar("mem", -1), false},
        {"no name", scalar("", 1), false},
        {"no value", with(scalar("cpus", 1), [](auto& r) { r.clear_scalar(); }), false},
        {"text", with(scalar("cpus", 1), [](auto& r) { r.set_type(v1::Value::TEXT); }), false},
        {"range upside down", ports(5, 4), false},
        {"half a gpu", scalar("gpus", 0.5), false},
        {"disk of cpus", with(scalar("cpus", 1), [](auto& r) { r.mutable_disk(); }), false},
        {"role * reserved",
         with(
             scalar("cpus", 1),
             [](auto& r) {
                 r.set_role("*");
                 r.mutable_reservation();
             }),
         false},
        {"reserved for *", reserved(scalar("cpus", 1), "*"), false},
        {"a refinement", reserved(reserved(scalar("cpus", 1), "eng"), "eng/a"), true},
        {"no refinement", reserved(reserved(scalar("cpus", 1), "eng"), "ops"), false},
        {"both forms agree",
         with(
             reserved(scalar("cpus", 1), "web", "p"),
             [](auto& r) {
                 r.set_role("web");
                 r.mutable_reservation()->set_principal("p");
             }),
         true},
        {"both forms differ",
         with(
             reserved(scalar("cpus", 1), "web", "p"),
             [](auto& r) {
                 r.set_role("web");
                 r.mutable_reservation()->set_principal("q");
             }),
         false},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.name)
        {
            CHECK(check_structure(c.resource).has_value() != c.sound);
        }
    }
}

TEST_CASE("standin: role names and ids follow the master's rules", "[standin]")
{
    for (const std::string role : {"*", "web", "eng/a/b", "a.b", "ü"})
        CHECK_FALSE(check_role(role));
    for (const std::string role :
         {"", "/a", "a/", "a//b", "a/../b", ".", "*/a", "-a", "a/-b", "a b", "a\tb", "a\x7f"})
        CHECK(check_role(role));
    CHECK(
        *check_role("a b") ==
        "Role component 'a b' is invalid because it contains backspace or whitespace");

    for (const std::string id : {"t", "with space", "ä", "..."}) CHECK_FALSE(check_id(id));
    for (const std::string& id :
         {std::string{},
          std::string{"."},
          std::string{".."},
          std::string{"a/b"},
          std::string{"a\\b"},
          std::string{"a\nb"},
          std::string(256, 'x')})
        CHECK(check_id(id));
    CHECK(*check_id("a/b") == "'a/b' contains invalid characters");
}

TEST_CASE("standin: a uuid has 16 bytes and a version from 1 to 5", "[standin]")
{
    std::string bytes(16, '\1');
    for (int version = 0; version < 16; ++version) {
        bytes[6] = static_cast<char>(version << 4);
        CHECK(is_uuid_bytes(bytes) == (version >= 1 && version <= 5));
    }
    bytes[6] = 0x40;
    CHECK_FALSE(is_uuid_bytes(bytes.substr(1)));
    CHECK_FALSE(is_uuid_bytes(uuid_text(bytes)));
}

TEST_CASE("standin: the flags for resources and attributes are read or refused", "[standin]")
{
    std::string why;
    CHECK(
        to_text(Resources{parse_resources(
            "cpus:4;mem:512; ports:[31000-31009,32000-32000];disk(web):10", why)}) ==
        "cpus:4; mem:512; ports:[31000-31009, 32000-32000]; disk(reservations: [(STATIC,web)]):10");
    CHECK(why.empty());
    for (const std::string bad :
         {"cpus", "cpus:x", "ports:[1]", "cpus(:1", "mem:-1", "disk(a b):1"}) {
        why.clear();
        CHECK(parse_resources(bad, why).empty());
        CHECK(why.find(bad) != std::string::npos);
    }
    why.clear();
    const auto attributes = parse_attributes("rack:r1;level:2", why);
    REQUIRE(attributes.size() == 2);
    CHECK(attributes[0].text().value() == "r1");
    CHECK(attributes[1].scalar().value() == 2);
    CHECK(parse_attributes("rack", why).empty());
    CHECK_FALSE(why.empty());
}
