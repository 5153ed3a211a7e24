#include "common/placement/pattern.hpp"

#include <stdexcept>

// The number of steps after which a match is given up: a few milliseconds. Only this file includes
// the header, so that all of the program agrees about it. Boost casts the number in the old style,
// which is said of these two lines and of nothing of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#define BOOST_REGEX_MAX_STATE_COUNT 200'000
#include <boost/regex.hpp>
#pragma GCC diagnostic pop

namespace mysos::placement {
namespace {

boost::regex compile(const std::string& pattern)
{
    return boost::regex{pattern, boost::regex::perl};
}

}  // namespace

std::string pattern_fault(const std::string& pattern)
{
    try {
        (void)compile(pattern);
    } catch (const boost::regex_error& fault) {
        const std::string text = fault.what();
        return text.substr(0, text.find("  The error occurred"));
    }
    return {};
}

Match match(const std::string& pattern, const std::string& text)
{
    try {
        return boost::regex_match(text, compile(pattern)) ? Match::yes : Match::no;
    } catch (const std::runtime_error&) {
        return Match::given_up;
    }
}

}  // namespace mysos::placement
