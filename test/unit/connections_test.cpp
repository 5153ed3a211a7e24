#include "executor/control/connections.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

namespace mysos::executor {

namespace {

const std::string here = "0100007F:7918";  // 127.0.0.1:31000
const std::string there = "0200000A:9D78";
const std::set<std::string> nobody;
const std::set<std::string> somebody{"10.0.0.2:40312"};

/// As Linux writes it: `retransmitted` in hexadecimal, `probes` of a peer without room in decimal.
std::set<std::string> stalled(
    const std::string& local,
    const std::string& peer,
    const std::string& state,
    const std::string& unsent,
    const std::string& retransmitted = "00000000",
    const std::string& probes = "0")
{
    return stalled_peers(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout\n"
        "   7: " +
            local + " " + peer + " " + state + " " + unsent + ":00000000 01:00000014 " +
            retransmitted + " 65534 " + probes + " 527372 3 0000000027530 20 4 1 10 -1\n",
        31000);
}

}  // namespace

TEST_CASE("connections: who takes nothing any more is known by the kernel's table", "[executor]")
{
    CHECK(stalled(here, there, "01", "00000000") == nobody);
    CHECK(stalled(here, there, "01", "00000040", "00000001") == nobody);
    CHECK(stalled(here, there, "01", "00000040", "00000002") == somebody);
    CHECK(stalled(here, there, "01", "0019D7FD", "00000000", "1") == nobody);
    CHECK(stalled(here, there, "01", "0019D7FD", "00000000", "2") == somebody);
    CHECK(stalled(here, there, "01", "00000000", "00000002") == nobody);  // Answered since.
    CHECK(stalled(here, there, "08", "00000000") == somebody);            // It has closed.
    CHECK(stalled(here, there, "06", "00000040", "00000005") == nobody);
    CHECK(stalled("0100007F:7919", there, "08", "00000000") == nobody);
}

TEST_CASE("connections: addresses are written as a server writes them", "[executor]")
{
    const std::string mapped = "0000000000000000FFFF0000";
    CHECK(stalled(mapped + here, mapped + there, "08", "00000000") == somebody);
    CHECK(
        stalled(
            "000000FD000000000000000001000000:7918",
            "000000FD000000000000000002000000:9D78",
            "08",
            "00000000") == std::set<std::string>{"fd00::2:40312"});
}

TEST_CASE("connections: what is no connection is passed over", "[executor]")
{
    CHECK(stalled(here, "xyz", "08", "00000000") == nobody);
    CHECK(stalled(here, "0200000A", "08", "00000000") == nobody);
    CHECK(stalled("7918", there, "08", "00000000") == nobody);
    CHECK(stalled(here, there, "08", "00000000", "00000000", "many") == nobody);
    CHECK(stalled_peers("garbage\n\n: : : : : : : : :\n", 31000) == nobody);
    CHECK(stalled_peers("", 31000) == nobody);
}

}  // namespace mysos::executor
