#include "common/base/units.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using namespace std::chrono_literals;

TEST_CASE("units: durations are read as people write them", "[units]")
{
    const std::vector<std::pair<std::string, Duration>> cases{
        {"60s", 60s},
        {"5m", 5min},
        {"14d", 336h},
        {"2h", 2h},
        {"250ms", 250ms},
        {"0s", 0s},
        {"1d12h", 36h},
        {"1h1m1s1ms", 3661001ms},
    };
    for (const auto& [text, value] : cases) {
        DYNAMIC_SECTION(text)
        {
            CHECK(parse_duration(text).value() == value);
            CHECK(parse_duration(print(value)).value() == value);
        }
    }
    CHECK(print(60s) == "1m");
    CHECK(print(336h) == "14d");
    CHECK(print(0s) == "0s");
    CHECK(print(-90s) == "-1m30s");
}

TEST_CASE("units: what is no duration is refused", "[units]")
{
    const std::vector<std::pair<std::string, UnitErrc>> cases{
        {"", UnitErrc::malformed},
        {"60", UnitErrc::malformed},
        {"s", UnitErrc::malformed},
        {"-5s", UnitErrc::malformed},
        {" 5s", UnitErrc::malformed},
        {"1m1h", UnitErrc::malformed},
        {"1s1s", UnitErrc::malformed},
        {"5 s", UnitErrc::unit_unknown},
        {"5x", UnitErrc::unit_unknown},
        {"5S", UnitErrc::unit_unknown},
        {"99999999999999999999s", UnitErrc::too_large},
        {"999999999d", UnitErrc::too_large},
        {"106751d24h", UnitErrc::too_large},
    };
    for (const auto& [text, error] : cases) {
        DYNAMIC_SECTION("'" << text << "'")
        {
            CHECK(parse_duration(text).error() == error);
        }
    }
}

TEST_CASE("units: sizes are read in mebibytes, rounded down", "[units]")
{
    const std::vector<std::pair<std::string, std::int64_t>> cases{
        {"512mb", 512},
        {"2gb", 2048},
        {"2GB", 2048},
        {"2g", 2048},
        {"1tb", 1048576},
        {"1.5gb", 1536},
        {"1023kb", 0},
        {"2047kb", 1},
        {"0mb", 0},
    };
    for (const auto& [text, value] : cases) {
        DYNAMIC_SECTION(text)
        {
            CHECK(parse_mebibytes(text).value() == value);
        }
    }
}

TEST_CASE("units: what is no size is refused", "[units]")
{
    const std::vector<std::pair<std::string, UnitErrc>> cases{
        {"", UnitErrc::malformed},
        {"512", UnitErrc::malformed},
        {"mb", UnitErrc::malformed},
        {"-1mb", UnitErrc::malformed},
        {"nan", UnitErrc::malformed},
        {"infmb", UnitErrc::malformed},
        {"1e3mb", UnitErrc::unit_unknown},
        {"5xb", UnitErrc::unit_unknown},
        {"5mbb", UnitErrc::unit_unknown},
        {"5 mb", UnitErrc::unit_unknown},
        {"9999999999tb", UnitErrc::too_large},
    };
    for (const auto& [text, error] : cases) {
        DYNAMIC_SECTION("'" << text << "'")
        {
            CHECK(parse_mebibytes(text).error() == error);
        }
    }
}
