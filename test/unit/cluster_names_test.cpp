#include "common/cluster/names.hpp"

#include <catch2/catch.hpp>

namespace mysos::cluster {

TEST_CASE("names: are read back, whatever the cluster is called", "[cluster]")
{
    for (const std::string name : {"demo", "my-db-2", "a.b", "mysos-1-x"}) {
        Record record;
        record.name = name;
        record.uuid = "0c6f0d5e-0000-4000-8000-000000000001";
        const auto task = task_id(record, MemberId{12}, 34);
        CHECK(task.text == "mysos-" + name + "-12-0c6f0d5e.34");
        CHECK(parse_name(task.text) == Name{name, MemberId{12}, "0c6f0d5e"});
        CHECK(parse_name(persistence_id(record, MemberId{1}, 2).text)->member == MemberId{1});
    }
}

TEST_CASE("names: others' are not ours", "[cluster]")
{
    for (const std::string text :
         {"",
          "mysos-",
          "mysos-demo",
          "mysos-demo-1",
          "mysos-demo-x-0c6f0d5e.1",
          "demo-1-0c6f0d5e.1",
          "mysos--1-0c6f0d5e.1",
          "mysos-demo-1-0c6f0d5e",
          "mysos-demo--0c6f0d5e.1",
          "mysos-demo-99999999999-0c6f0d5e.1"}) {
        INFO(text);
        CHECK_FALSE(parse_name(text));
    }
}

}  // namespace mysos::cluster
