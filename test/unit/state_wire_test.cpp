#include "common/wire/errc.hpp"
#include "common/wire/state.hpp"
#include "mysos/state.pb.h"

#include <catch2/catch.hpp>

namespace mysos::wire {
namespace {

cluster::Record record()
{
    cluster::Record one;
    one.name = "demo";
    one.uuid = "0c6f0d5e-0000-4000-8000-000000000001";
    one.flavor = "mysql";
    one.num_nodes = 3;
    one.size = {1500, 1024, 4096};
    one.cluster_user = "app";
    one.sealed_secrets = std::string{"\0\xff sealed", 9};
    one.epoch = Epoch{7};
    one.electorate = {MemberId{1}, MemberId{3}};
    one.acks = 1;
    one.primary = MemberId{3};
    one.opened = true;
    one.primary_position = "a:1-5";
    one.candidate = MemberId{1};
    one.since = Epoch{4};
    one.next_server_id = 4;
    one.deleting = true;
    one.created_at_unix_ms = 1'795'342'087'966;
    one.task_serial = 12;
    one.ever_opened = true;
    one.members[MemberId{1}] = {
        {"mysos-demo-1-12"},
        {"a1"},
        "host",
        "10.0.0.1",
        31000,
        31001,
        {"mysos-demo-1-0c6f0d5e"},
        true,
        true,
        true,
        2,
        true,
        "eu",
        "eu-1",
        {{"os", "debian"}, {"rack", "r1"}},
        {}};
    one.constraints = {
        {"rack", placement::Operator::group_by, "3"}, {"os", placement::Operator::like, "deb.*"}};
    one.colocate = true;
    one.two_node_policy = cluster::TwoNodePolicy::available;
    one.durability = cluster::Durability::async;
    one.serving = MemberId{3};
    one.members[MemberId{3}] = {};
    return one;
}

cluster::FrameworkRecord framework()
{
    cluster::FrameworkRecord one;
    one.framework_id.text = "F";
    one.clusters = {"a", "b"};
    one.retired_volumes = {{{"v"}, {"agent"}, 5, "gone", {}}};
    return one;
}

}  // namespace

TEST_CASE("state: a cluster's record survives being stored", "[state]")
{
    const auto again = decode_cluster(encode_cluster(record()));
    REQUIRE(again.has_value());
    CHECK(*again == record());
}

TEST_CASE("state: a constraint that this version cannot keep to is not passed over", "[state]")
{
    mysos::state::Cluster stored;
    REQUIRE(stored.ParseFromString(encode_cluster(record())));
    stored.mutable_constraints(0)->set_op("NEAR");
    CHECK(decode_cluster(stored.SerializeAsString()).error() == Errc::state_corrupt);
}

TEST_CASE("state: a policy that this version does not know is not passed over", "[state]")
{
    mysos::state::Cluster stored;
    REQUIRE(stored.ParseFromString(encode_cluster(record())));
    stored.set_two_node_policy("bold");
    CHECK(decode_cluster(stored.SerializeAsString()).error() == Errc::state_corrupt);
    stored.clear_two_node_policy();
    const auto read = decode_cluster(stored.SerializeAsString());
    REQUIRE(read.has_value());
    CHECK(read->two_node_policy == cluster::TwoNodePolicy::consistent);
}

TEST_CASE("state: a durability that this version does not know is not passed over", "[state]")
{
    mysos::state::Cluster stored;
    REQUIRE(stored.ParseFromString(encode_cluster(record())));
    stored.set_durability("eventual");
    CHECK(decode_cluster(stored.SerializeAsString()).error() == Errc::state_corrupt);
    stored.clear_durability();
    const auto read = decode_cluster(stored.SerializeAsString());
    REQUIRE(read.has_value());
    CHECK(read->durability == cluster::Durability::semisync);
}

TEST_CASE("state: a record from before there were constraints has none", "[state]")
{
    mysos::state::Cluster stored;
    REQUIRE(stored.ParseFromString(encode_cluster(record())));
    stored.clear_constraints();
    stored.clear_colocate();
    for (auto& member : *stored.mutable_members()) {
        member.clear_region();
        member.clear_zone();
        member.clear_attributes();
    }
    const auto read = decode_cluster(stored.SerializeAsString());
    REQUIRE(read.has_value());
    CHECK(read->constraints.empty());
    CHECK_FALSE(read->colocate);
    CHECK(read->members.at(MemberId{1}).hostname == "host");
    CHECK(read->members.at(MemberId{1}).attributes.empty());
}

TEST_CASE("state: the framework's record survives being stored", "[state]")
{
    const auto again = decode_framework(encode_framework(framework()));
    REQUIRE(again.has_value());
    CHECK(*again == framework());
}

TEST_CASE("state: fields of a newer version are kept at every level", "[state]")
{
    // Field 1000, a varint, as a newer minor version would add it.
    const std::string field{"\xc0\x3e\x05", 3};
    mysos::state::Cluster newer;
    REQUIRE(newer.ParseFromString(encode_cluster(record()) + field));
    auto* member = newer.mutable_members(0);
    REQUIRE(member->ParseFromString(member->SerializeAsString() + field));
    const auto read = decode_cluster(newer.SerializeAsString());
    REQUIRE(read.has_value());
    CHECK(read->unknown_fields == field);
    CHECK(read->members.at(MemberId{1}).unknown_fields == field);
    CHECK(*decode_cluster(encode_cluster(*read)) == *read);

    mysos::state::Framework newer_framework;
    REQUIRE(newer_framework.ParseFromString(encode_framework(framework()) + field));
    auto* volume = newer_framework.mutable_retired_volumes(0);
    REQUIRE(volume->ParseFromString(volume->SerializeAsString() + field));
    const auto read_framework = decode_framework(newer_framework.SerializeAsString());
    REQUIRE(read_framework.has_value());
    CHECK(read_framework->unknown_fields == field);
    CHECK(read_framework->retired_volumes.at(0).unknown_fields == field);
    CHECK(*decode_framework(encode_framework(*read_framework)) == *read_framework);
}

TEST_CASE("state: a newer major version is refused", "[state]")
{
    mysos::state::Cluster newer;
    REQUIRE(newer.ParseFromString(encode_cluster(record())));
    newer.mutable_format()->set_major(state_format_major + 1);
    CHECK(decode_cluster(newer.SerializeAsString()).error() == Errc::state_too_new);

    mysos::state::Framework newer_framework;
    newer_framework.mutable_format()->set_major(state_format_major + 1);
    CHECK(decode_framework(newer_framework.SerializeAsString()).error() == Errc::state_too_new);
}

TEST_CASE("state: what no writer wrote is corrupt", "[state]")
{
    const auto changed = [](auto change) {
        mysos::state::Cluster message;
        REQUIRE(message.ParseFromString(encode_cluster(record())));
        change(message);
        return decode_cluster(message.SerializeAsString()).error();
    };
    using Cluster = mysos::state::Cluster;
    CHECK(decode_cluster("").error() == Errc::state_corrupt);
    CHECK(decode_cluster("garbage").error() == Errc::state_corrupt);
    CHECK(decode_framework("").error() == Errc::state_corrupt);
    CHECK(decode_framework("{\"json\":1}").error() == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { c.clear_format(); }) == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { c.mutable_format()->set_major(0); }) == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { c.clear_name(); }) == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { c.clear_uuid(); }) == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { *c.add_members() = c.members(0); }) == Errc::state_corrupt);
    CHECK(changed([](Cluster& c) { c.add_members(); }) == Errc::state_corrupt);
    CHECK(
        changed([](Cluster& c) { c.mutable_members(0)->set_port(70000); }) == Errc::state_corrupt);
}

}  // namespace mysos::wire
