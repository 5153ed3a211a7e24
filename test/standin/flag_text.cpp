// What the agent's --resources and --attributes flags say.
#include "test/standin/forms.hpp"

#include <cstdlib>

namespace mysos::standin {

namespace {

std::string trim(const std::string& text)
{
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> split(const std::string& text, char at)
{
    std::vector<std::string> parts;
    std::string part;
    for (const char c : text) {
        if (c == at) {
            parts.push_back(trim(part));
            part.clear();
        } else {
            part += c;
        }
    }
    parts.push_back(trim(part));
    return parts;
}

std::optional<double> number(const std::string& text)
{
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0') return {};
    return value;
}

bool parse_ranges(const std::string& text, v1::Value::Ranges& ranges)
{
    for (const auto& part : split(text.substr(1, text.size() - 2), ',')) {
        const auto ends = split(part, '-');
        if (ends.size() != 2 || !number(ends[0]) || !number(ends[1])) return false;
        auto& range = *ranges.add_range();
        range.set_begin(std::strtoull(ends[0].c_str(), nullptr, 10));
        range.set_end(std::strtoull(ends[1].c_str(), nullptr, 10));
    }
    return true;
}

/// Anything with a type and values: a Resource or an Attribute.
template <class Typed>
bool parse_value(const std::string& text, Typed& to)
{
    if (text.starts_with('[') && text.ends_with(']')) {
        to.set_type(v1::Value::RANGES);
        return parse_ranges(text, *to.mutable_ranges());
    }
    if (text.starts_with('{') && text.ends_with('}')) {
        to.set_type(v1::Value::SET);
        for (const auto& item : split(text.substr(1, text.size() - 2), ','))
            to.mutable_set()->add_item(item);
        return true;
    }
    const auto value = number(text);
    if (!value) return false;
    to.set_type(v1::Value::SCALAR);
    to.mutable_scalar()->set_value(*value);
    return true;
}

bool parse_resource(const std::string& name, const std::string& value, v1::Resource& resource)
{
    resource.set_name(name);
    const auto open = name.find('(');
    if (open != std::string::npos) {
        if (!name.ends_with(')')) return false;
        resource.set_name(name.substr(0, open));
        auto& reservation = *resource.add_reservations();
        reservation.set_type(v1::Resource::ReservationInfo::STATIC);
        reservation.set_role(name.substr(open + 1, name.size() - open - 2));
    }
    return parse_value(value, resource);
}

}  // namespace

Resources::List parse_resources(const std::string& text, std::string& why)
{
    Resources::List list;
    for (const auto& item : split(text, ';')) {
        if (item.empty()) continue;
        const auto colon = item.find(':');
        auto& resource = *list.Add();
        const bool parsed =
            colon != std::string::npos &&
            parse_resource(trim(item.substr(0, colon)), trim(item.substr(colon + 1)), resource);
        const Fault fault = parsed ? check_structure(resource) : Fault{"expected name:value"};
        if (!fault) continue;
        why = "'" + item + "': " + *fault;
        return {};
    }
    return list;
}

google::protobuf::RepeatedPtrField<v1::Attribute> parse_attributes(
    const std::string& text, std::string& why)
{
    google::protobuf::RepeatedPtrField<v1::Attribute> list;
    for (const auto& item : split(text, ';')) {
        if (item.empty()) continue;
        const auto colon = item.find(':');
        if (colon == std::string::npos || colon == 0) {
            why = "'" + item + "': expected name:value";
            return {};
        }
        auto& attribute = *list.Add();
        attribute.set_name(trim(item.substr(0, colon)));
        const std::string value = trim(item.substr(colon + 1));
        if (parse_value(value, attribute)) continue;
        attribute.set_type(v1::Value::TEXT);
        attribute.mutable_text()->set_value(value);
    }
    return list;
}

}  // namespace mysos::standin
