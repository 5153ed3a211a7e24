#include "common/base/prng.hpp"
#include "common/mysql/gtid_set.hpp"
#include "test/integration/server_facts.hpp"

#include <vector>

// MySQL's own arithmetic of GTID sets, against ours.

using namespace mysos;
using namespace mysos::test;

namespace {

/// In the server's words, in any order, with overlaps.
std::string draw(Prng& prng)
{
    const std::vector<std::string> sources{
        "3e11fa47-71ca-11e1-9e33-c80aa9429562", "C0FFEE00-0000-4000-8000-000000000001"};
    const std::vector<std::string> tags{"", ":blue", ":_z9", ":Blue"};
    std::string text;
    for (std::uint64_t pieces = prng.below(6); pieces > 0; --pieces) {
        const std::uint64_t first = 1 + prng.below(30);
        const std::uint64_t last = first + prng.below(8);
        if (!text.empty()) text += ", ";
        text += sources[prng.below(sources.size())] + tags[prng.below(tags.size())] + ":" +
                std::to_string(first) + "-" + std::to_string(last);
    }
    return text;
}

}  // namespace

TEST_CASE("server facts: MySQL calculates with GTID sets, tags too, as we do")
{
    if (!present(mysql::Flavor::mysql)) return;
    DatabaseServer server{mysql::Flavor::mysql, 1};
    server.start();
    auto session = server.session();
    const auto theirs = [&session](const std::string& expression) {
        std::string text = session.run("SELECT " + expression).value().scalar();
        std::erase(text, '\n');
        return text;
    };
    Prng prng{8};
    for (int i = 0; i < 300; ++i) {
        const std::string x = draw(prng);
        const std::string y = draw(prng);
        INFO("x = " << x << "\ny = " << y);
        const auto set_x = mysql::GtidSet::parse(x).value();
        const auto set_y = mysql::GtidSet::parse(y).value();
        const std::string both = mysql::quoted(x) + ", " + mysql::quoted(y);
        // What it prints is our canonical form.
        REQUIRE(set_x.to_text() == theirs("GTID_SUBTRACT(" + mysql::quoted(x) + ", '')"));
        REQUIRE(set_x.subtract(set_y).to_text() == theirs("GTID_SUBTRACT(" + both + ")"));
        REQUIRE((set_y.includes(set_x) ? "1" : "0") == theirs("GTID_SUBSET(" + both + ")"));
        const std::string joined = x + (x.empty() || y.empty() ? "" : ", ") + y;
        REQUIRE(
            set_x.unite(set_y).to_text() ==
            theirs("GTID_SUBTRACT(" + mysql::quoted(joined) + ", '')"));
        const std::string without = set_x.subtract(set_y).to_text();
        REQUIRE(
            set_x.intersect(set_y).to_text() ==
            theirs("GTID_SUBTRACT(" + mysql::quoted(x) + ", " + mysql::quoted(without) + ")"));
    }
}
