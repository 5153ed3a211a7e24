#include "common/placement/constraint.hpp"

#include "common/placement/pattern.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <set>
#include <utility>

namespace mysos::placement {
namespace {

using nlohmann::json;
using Counts = std::map<std::string, std::size_t>;

constexpr std::size_t constraints_max = 16;
constexpr std::size_t word_size_max = 256;
constexpr std::size_t values_told_max = 8;

constexpr std::array<std::pair<Operator, const char*>, 6> names{{
    {Operator::unique, "UNIQUE"},
    {Operator::cluster, "CLUSTER"},
    {Operator::group_by, "GROUP_BY"},
    {Operator::like, "LIKE"},
    {Operator::unlike, "UNLIKE"},
    {Operator::max_per, "MAX_PER"},
}};

constexpr const char* example = R"([["rack", "UNIQUE"], ["os", "LIKE", "deb.*"]])";

/// A number from 1 up; none: it is no such thing.
std::optional<std::size_t> number_in(const std::string& text)
{
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || number == 0) return std::nullopt;
    return number;
}

bool is_clean(const std::string& word)
{
    return word.size() <= word_size_max && std::ranges::none_of(word, [](char c) {
               return std::iscntrl(static_cast<unsigned char>(c)) != 0;
           });
}

/// How many are on each value. Who has none is on no value.
Counts count(const Places& places, const std::string& field)
{
    Counts counts;
    for (const Place& place : places) {
        if (const auto value = value_of(place, field)) ++counts[*value];
    }
    return counts;
}

bool is_even(
    const Constraint& constraint, const std::string& value, Counts counts, const Places& rivals)
{
    if (!counts.contains(value)) return true;
    const std::size_t groups_min = number_in(constraint.value).value_or(1);
    if (counts.size() < groups_min) return false;
    for (const Place& rival : rivals) {
        if (const auto other = value_of(rival, constraint.field)) counts.try_emplace(*other, 0);
    }
    return std::ranges::all_of(
        counts, [&](const auto& entry) { return counts.at(value) <= entry.second; });
}

bool is_same(const Constraint& constraint, const std::string& value, const Counts& counts)
{
    if (!constraint.value.empty()) return value == constraint.value;
    return std::ranges::all_of(counts, [&](const auto& entry) { return entry.first == value; });
}

bool looks_at_others(const Constraint& constraint)
{
    switch (constraint.op) {
        case Operator::unique:
        case Operator::group_by:
        case Operator::max_per: return true;
        case Operator::cluster: return constraint.value.empty();
        case Operator::like:
        case Operator::unlike: return false;
    }
    return false;
}

/// "a, b and 3 more"; who has no value has `otherwise`.
std::string list(const Places& places, const std::string& field, const std::string& otherwise)
{
    std::set<std::string> values;
    for (const Place& place : places) values.insert(value_of(place, field).value_or(otherwise));
    std::string text;
    std::size_t told = 0;
    for (const std::string& value : values) {
        if (told == values_told_max) {
            return text + " and " + std::to_string(values.size() - told) + " more";
        }
        if (told++ > 0) text += ", ";
        text += value;
    }
    return text;
}

std::variant<Constraint, BadConstraints> parse_one(const json& item)
{
    const bool is_list = item.is_array() && (item.size() == 2 || item.size() == 3);
    if (!is_list || !std::ranges::all_of(item, [](const json& one) { return one.is_string(); })) {
        return BadConstraints{
            item.dump(-1, ' ', true, json::error_handler_t::replace) +
            R"( must be two or three texts, like ["rack", "UNIQUE"] or ["os", "LIKE", "deb.*"])"};
    }
    Constraint constraint;
    constraint.field = item[0].get<std::string>();
    const auto word = item[1].get<std::string>();
    const std::optional<Operator> op = operator_named(word);
    if (!op) {
        return BadConstraints{
            "'" + word +
            "' is no operator: UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE and MAX_PER "
            "are"};
    }
    constraint.op = *op;
    if (item.size() == 3) constraint.value = item[2].get<std::string>();
    if (std::string why = fault_of(constraint); !why.empty()) {
        return BadConstraints{std::move(why)};
    }
    return constraint;
}

}  // namespace

std::variant<Constraints, BadConstraints> parse_constraints(std::string_view text)
{
    const json parsed = json::parse(text, nullptr, false);
    if (!parsed.is_array()) {
        return BadConstraints{std::string{"must be a JSON list of lists, like "} + example};
    }
    if (parsed.size() > constraints_max) {
        return BadConstraints{"must be at most " + std::to_string(constraints_max)};
    }
    Constraints constraints;
    for (const json& item : parsed) {
        std::variant<Constraint, BadConstraints> one = parse_one(item);
        if (auto* bad = std::get_if<BadConstraints>(&one)) return std::move(*bad);
        constraints.push_back(std::get<Constraint>(std::move(one)));
    }
    return constraints;
}

std::string fault_of(const Constraint& constraint)
{
    const std::string& value = constraint.value;
    const auto fault = [&constraint](const std::string& why) {
        return "'" + constraint.field + " " + to_text(constraint.op) + "' " + why;
    };
    if (!is_clean(constraint.field) || !is_clean(value)) {
        return "a field or value has control characters or more than " +
               std::to_string(word_size_max) + " bytes";
    }
    if (constraint.field.empty())
        return fault("has no field: give hostname or an attribute's name");
    if (constraint.field.front() == '@' && constraint.field != "@hostname" &&
        constraint.field != "@region" && constraint.field != "@zone") {
        return fault("has a field that begins with '@': @hostname, @region and @zone are known");
    }
    switch (constraint.op) {
        case Operator::unique: return value.empty() ? "" : fault("takes no value: leave it out");
        case Operator::cluster: return {};
        case Operator::group_by:
            if (value.empty() || number_in(value)) return {};
            return fault("takes a number from 1 up, how many values there are, or none");
        case Operator::max_per:
            if (number_in(value)) return {};
            return fault("needs a number from 1 up, how many members a value may have");
        case Operator::like:
        case Operator::unlike: {
            if (value.empty()) return fault("needs a regular expression, like 'rack-[1-3]'");
            const std::string why = pattern_fault(value);
            return why.empty() ? "" : fault("has no valid regular expression: " + why);
        }
    }
    return {};
}

const char* to_text(Operator op)
{
    const auto* found = std::ranges::find(names, op, &std::pair<Operator, const char*>::first);
    return found == names.end() ? "" : found->second;
}

std::optional<Operator> operator_named(std::string_view text)
{
    std::string upper{text};
    std::ranges::transform(
        upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    for (const auto& [op, name] : names) {
        if (upper == name) return op;
    }
    return std::nullopt;
}

std::string to_text(const Constraint& constraint)
{
    std::string text = constraint.field + ' ' + to_text(constraint.op);
    if (!constraint.value.empty()) text += " '" + constraint.value + "'";
    return text;
}

std::vector<std::string> words(const Constraint& constraint)
{
    std::vector<std::string> result{constraint.field, to_text(constraint.op)};
    if (!constraint.value.empty()) result.push_back(constraint.value);
    return result;
}

Place place_of(const mesos::Offer& offer, const Constraints& constraints)
{
    Place place{offer.hostname, offer.region, offer.zone, {}};
    for (const mesos::Attribute& attribute : offer.attributes) {
        if (!mentions(constraints, attribute.name)) continue;
        place.attributes.emplace(attribute.name, attribute.text);
    }
    return place;
}

std::optional<std::string> value_of(const Place& place, const std::string& field)
{
    const auto unless_empty = [](const std::string& text) {
        return text.empty() ? std::nullopt : std::optional{text};
    };
    if (field == "hostname" || field == "@hostname") return unless_empty(place.hostname);
    if (field == "@region") return unless_empty(place.region);
    if (field == "@zone") return unless_empty(place.zone);
    const auto found = place.attributes.find(field);
    if (found == place.attributes.end()) return std::nullopt;
    return found->second;
}

bool mentions(const Constraints& constraints, std::string_view field)
{
    return std::ranges::count(constraints, field, &Constraint::field) != 0;
}

bool allows(
    const Constraint& constraint, const Place& place, const Places& others, const Places& rivals)
{
    const std::optional<std::string> value = value_of(place, constraint.field);
    if (!value) return constraint.op == Operator::unlike;
    const auto counts = [&] { return count(others, constraint.field); };
    switch (constraint.op) {
        case Operator::unique: return !counts().contains(*value);
        case Operator::cluster: return is_same(constraint, *value, counts());
        case Operator::group_by: return is_even(constraint, *value, counts(), rivals);
        case Operator::like: return match(constraint.value, *value) == Match::yes;
        case Operator::unlike: return match(constraint.value, *value) == Match::no;
        case Operator::max_per: return counts()[*value] < number_in(constraint.value).value_or(0);
    }
    return false;
}

bool allows(
    const Constraints& constraints, const Place& place, const Places& others, const Places& rivals)
{
    return std::ranges::all_of(constraints, [&](const Constraint& constraint) {
        return allows(constraint, place, others, rivals);
    });
}

std::string explain(const Constraint& constraint, const Places& offered, const Places& others)
{
    std::string text = "no agent offers " + to_text(constraint);
    if (looks_at_others(constraint) && !others.empty()) {
        text += "; members are on: " + list(others, constraint.field, "none");
    }
    return text + "; offered: " + list(offered, constraint.field, "none");
}

}  // namespace mysos::placement
