#pragma once

#include <string>

/// Regular expressions as people write them, Perl's and Java's syntax in common, against short
/// texts. A match that would take too long is given up instead of being finished: whoever may make
/// a cluster must not be able to hold up all the others.
namespace mysos::placement {

/// Why the text is no pattern; empty: it is one.
[[nodiscard]] std::string pattern_fault(const std::string& pattern);

enum class Match {
    no,
    yes,
    given_up,  ///< Too many ways to try, or no pattern.
};

/// Whether the pattern matches the text from its first to its last character.
[[nodiscard]] Match match(const std::string& pattern, const std::string& text);

}  // namespace mysos::placement
