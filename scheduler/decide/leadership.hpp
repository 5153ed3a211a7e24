#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Which of several schedulers leads: the candidate that came first. Each waits for the one right
/// before it only, so that the end of one wakes one.
///
/// Shape of a candidate's node: "candidate_" 16HEXDIG(session) "_" 10DIGIT(sequence). The session
/// tells our own node apart when the answer to its creation was lost.
///
/// Pure: no I/O, clock, randomness, logging or threads.
namespace mysos::scheduler::leadership {

struct Stand {  ///< We are no candidate: make our node.
    friend bool operator==(const Stand&, const Stand&) = default;
};
struct Wait {  ///< Until this node is gone.
    std::string own;
    std::string predecessor;
    friend bool operator==(const Wait&, const Wait&) = default;
};
struct Lead {
    std::string own;
    friend bool operator==(const Lead&, const Lead&) = default;
};
using Next = std::variant<Stand, Wait, Lead>;

/// "candidate_00000000000000ab_"; ZooKeeper appends the sequence.
[[nodiscard]] inline std::string candidate_prefix(std::int64_t session)
{
    constexpr std::string_view digits = "0123456789abcdef";
    auto rest = static_cast<std::uint64_t>(session);
    std::string hex(16, '0');
    for (std::size_t i = hex.size(); i-- > 0; rest >>= 4U) hex[i] = digits[rest & 0xfU];
    return "candidate_" + hex + "_";
}

/// What a candidate of this session does, given the children of the election's node.
[[nodiscard]] inline Next next(const std::vector<std::string>& children, std::int64_t session)
{
    struct Candidate {
        std::int64_t sequence = 0;
        std::string name;
    };
    std::vector<Candidate> candidates;
    for (const std::string& child : children) {
        if (!child.starts_with("candidate_")) continue;
        Candidate candidate{.sequence = 0, .name = child};
        const char* const end = child.data() + child.size();
        const char* const begin = child.data() + child.rfind('_') + 1;
        const auto [stop, error] = std::from_chars(begin, end, candidate.sequence);
        if (error == std::errc{} && stop == end) candidates.push_back(std::move(candidate));
    }
    // ZooKeeper gives no number twice. (g++ 12 at -O3 forgets to emit what a defaulted <=> of a
    // local class calls: the release build would not link.)
    std::ranges::sort(candidates, {}, &Candidate::sequence);
    const std::string prefix = candidate_prefix(session);
    const auto own = std::ranges::find_if(
        candidates, [&prefix](const Candidate& c) { return c.name.starts_with(prefix); });
    if (own == candidates.end()) return Stand{};
    if (own == candidates.begin()) return Lead{.own = own->name};
    return Wait{.own = own->name, .predecessor = std::prev(own)->name};
}

}  // namespace mysos::scheduler::leadership
