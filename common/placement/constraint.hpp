#pragma once

#include "common/mesos/event.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Where the members of a cluster may be, in Marathon's words: each constraint compares one field
/// of an agent with a value, or with the same field of the agents where the other members are.
///
/// Shape:  JSON list of [field, operator] or [field, operator, value], all of them texts.
///         field = "hostname" | "@hostname" | "@region" | "@zone" | the name of an agent's
///         attribute. Values are compared as texts, in the form that the wire decoder gives them.
///         An agent without the field is refused by every operator but UNLIKE.
/// Source: Marathon, docs/docs/constraints.md and mesosphere/mesos/Constraints.scala.
namespace mysos::placement {

/// What constraints compare of an agent. Kept with each member, as its agent may be away when the
/// next one is to be placed.
struct Place {
    std::string hostname;
    std::string region;  ///< Of the agent's fault domain; empty: it is in none.
    std::string zone;
    std::map<std::string, std::string> attributes;  ///< Of several with one name the first.
    friend bool operator==(const Place&, const Place&) = default;
};
using Places = std::vector<Place>;

enum class Operator {
    unique,    ///< No two members have the same value.
    cluster,   ///< All have the same value; where one is given, this one.
    group_by,  ///< As many on each value as on any other; over at least so many values.
    like,      ///< The value matches the pattern, as a whole.
    unlike,    ///< It does not, or there is none.
    max_per,   ///< At most so many on one value.
};

struct Constraint {
    std::string field;
    Operator op = Operator::unique;
    std::string value;  ///< Empty where none was given.
    friend bool operator==(const Constraint&, const Constraint&) = default;
};
using Constraints = std::vector<Constraint>;

struct BadConstraints {
    std::string why;  ///< Names the constraint and says what would be right.
    friend bool operator==(const BadConstraints&, const BadConstraints&) = default;
};
[[nodiscard]] std::variant<Constraints, BadConstraints> parse_constraints(std::string_view text);

/// Why it is none: a value missing, not wanted or not of its form; empty: it is one.
[[nodiscard]] std::string fault_of(const Constraint& constraint);

/// "GROUP_BY", in either case when read.
[[nodiscard]] const char* to_text(Operator op);
[[nodiscard]] std::optional<Operator> operator_named(std::string_view text);
/// "rack LIKE 'a.*'".
[[nodiscard]] std::string to_text(const Constraint& constraint);
/// As they were given: {"rack", "LIKE", "a.*"}.
[[nodiscard]] std::vector<std::string> words(const Constraint& constraint);

/// What the constraints compare of the agent that makes the offer, and no more.
[[nodiscard]] Place place_of(const mesos::Offer& offer, const Constraints& constraints);
[[nodiscard]] std::optional<std::string> value_of(const Place& place, const std::string& field);
[[nodiscard]] bool mentions(const Constraints& constraints, std::string_view field);

/// Whether one more member may be placed there beside `others`. `rivals`: other agents that could
/// take it now; GROUP_BY does not put it where more members are than on any of these.
[[nodiscard]] bool allows(
    const Constraint& constraint,
    const Place& place,
    const Places& others,
    const Places& rivals = {});
[[nodiscard]] bool allows(
    const Constraints& constraints,
    const Place& place,
    const Places& others,
    const Places& rivals = {});

/// What no agent offers, when none of `offered` satisfies the constraint:
/// "no agent offers rack LIKE 'a.*'; offered: b1, b2".
[[nodiscard]] std::string explain(
    const Constraint& constraint, const Places& offered, const Places& others);

}  // namespace mysos::placement
