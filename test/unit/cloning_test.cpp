#include "common/mysql/cloning.hpp"

#include "common/mysql/binlog.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace mysos;
using namespace mysos::mysql;

namespace {

History history(const std::string& text)
{
    return History::parse(text).value();
}

/// An event's first bytes.
std::string event(unsigned type, unsigned server, unsigned size, const std::string& rest)
{
    std::string bytes(19, '\0');
    bytes[4] = static_cast<char>(type);
    bytes[5] = static_cast<char>(server);
    bytes[9] = static_cast<char>(size);
    bytes[10] = static_cast<char>(size >> 8U);
    return bytes + rest;
}

}  // namespace

TEST_CASE("history: the last of each server is kept, the newest of a domain stands last", "[mysql]")
{
    struct Case {
        std::string name;
        std::string text;
        std::string printed;
    };
    const std::vector<Case> cases{
        {"nothing", "", ""},
        {"one", "0-1-5", "0-1-5"},
        {"of several primaries", "0-1-5,0-2-1001", "0-1-5,0-2-1001"},
        {"a primary followed another once", "0-1-5,0-2-1001,0-1-4", "0-1-5,0-2-1001"},
        {"a replica's own position repeats its newest",
         "0-1-5,0-2-1001,0-2-1001",
         "0-1-5,0-2-1001"},
        {"or is ahead of it", "0-1-5,0-2-1001,0-2-1002", "0-1-5,0-2-1002"},
        {"several domains", "0-1-5,1-1-9", "0-1-5,1-1-9"},
        {"with newlines", "0-1-5,\n0-2-6", "0-1-5,0-2-6"},
    };
    for (const Case& c : cases) {
        INFO(c.name);
        CHECK(history(c.text).to_text() == c.printed);
    }
    for (const char* bad : {"0-1", "x", "0-1-5-6", "0-1-5,x"}) {
        INFO(bad);
        CHECK(History::parse(bad).has_error());
    }
}

TEST_CASE("history: what an earlier primary wrote last is not hidden by its successor", "[mysql]")
{
    const History held = history("0-1-17,0-2-1099511627777");
    CHECK(held.holds({0, 1, 17}));
    CHECK_FALSE(held.holds({0, 1, 18}));
    CHECK(held.holds({0, 2, 1099511627777}));
    CHECK_FALSE(held.holds({0, 3, 1}));
    CHECK_FALSE(held.holds({1, 1, 1}));
}

TEST_CASE("history: a copy's last transaction becomes the newest", "[mysql]")
{
    History held = history("0-1-17,0-2-20");
    held.add({0, 2, 25});
    CHECK(held.to_text() == "0-1-17,0-2-25");
    held.add({0, 1, 30});
    CHECK(held.to_text() == "0-2-25,0-1-30");
    held.add({0, 2, 24});
    CHECK(held.to_text() == "0-1-30,0-2-25");
}

TEST_CASE("cloning: the donor's password is in no statement that is shown", "[mysql]")
{
    const Source donor{"10.0.0.2", 3306, "clone", "it's secret"};
    const Statements bounded = clone_from(donor, 5);
    REQUIRE(bounded.size() == 5);
    CHECK(bounded[2].sql == "SET GLOBAL clone_valid_donor_list = '10.0.0.2:3306'");
    CHECK(bounded[3].sql == "SET GLOBAL clone_max_data_bandwidth = 5");
    CHECK(
        bounded[4].sql ==
        "CLONE INSTANCE FROM 'clone'@'10.0.0.2':3306 IDENTIFIED BY 'it''s secret'");
    CHECK(bounded[4].shown == "CLONE INSTANCE FROM 'clone'@'10.0.0.2':3306 IDENTIFIED BY <secret>");
    CHECK(clone_from(donor, 0).size() == 4);
}

TEST_CASE("cloning: a copy follows nobody, and MariaDB's learns what it holds", "[mysql]")
{
    const Statements mysql = begin_on_copy(Flavor::mysql, "", "");
    REQUIRE(mysql.size() == 2);
    CHECK(mysql[0].sql == "STOP REPLICA");
    CHECK(mysql[1].sql == "RESET REPLICA ALL");
    const Statements mariadb = begin_on_copy(Flavor::mariadb, "0-2-9", "0-1-5,0-2-9");
    REQUIRE(mariadb.size() == 2);
    CHECK(mariadb[0].sql == "SET GLOBAL gtid_slave_pos = '0-2-9'");
    CHECK(mariadb[1].sql == "SET GLOBAL gtid_binlog_state = '0-1-5,0-2-9'");
}

TEST_CASE("binlog: an event says its length and, on MariaDB, its transaction", "[mysql]")
{
    const std::string gtid = std::string{"\x07\0\0\0\0\x01\0\0", 8} + std::string{"\x02\0\0\0", 4};
    const auto begins = parse_event(event(162, 3, 300, gtid));
    REQUIRE(begins.has_value());
    CHECK(begins->size == 300);
    CHECK(begins->begins == GtidList::Entry{2, 3, (1ULL << 40U) + 7});
    CHECK_FALSE(begins->encrypts);
    CHECK(begins->is_transaction);
    for (const unsigned of_mysql : {33U, 42U}) {
        CHECK(parse_event(event(of_mysql, 3, 79, gtid))->is_transaction);
        CHECK_FALSE(parse_event(event(of_mysql, 3, 79, gtid))->begins.has_value());
    }

    const auto other = parse_event(event(16, 3, 31, gtid));
    REQUIRE(other.has_value());
    CHECK(other->size == 31);
    CHECK_FALSE(other->begins.has_value());
    CHECK_FALSE(other->is_transaction);
    CHECK(parse_event(event(164, 3, 40, gtid))->encrypts);

    CHECK_FALSE(parse_event("").has_value());
    CHECK_FALSE(parse_event(event(16, 3, 31, "").substr(0, 18)).has_value());
    CHECK_FALSE(parse_event(event(16, 3, 18, gtid)).has_value());
    CHECK_FALSE(parse_event(event(162, 3, 300, gtid.substr(1))).has_value());
    CHECK_FALSE(parse_event(event(162, 3, 25, gtid)).has_value());
}
