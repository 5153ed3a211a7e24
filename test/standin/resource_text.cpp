#include "test/standin/resources.hpp"

#include <cstdio>

namespace mysos::standin {

namespace {

std::string number(double value)
{
    const Milli milli = to_milli(value);
    char text[48];
    std::snprintf(text, sizeof text, "%.3f", static_cast<double>(milli) / 1000.0);
    std::string result = text;
    result.erase(result.find_last_not_of('0') + 1);
    if (result.ends_with('.')) result.pop_back();
    return result;
}

std::string reservations(const v1::Resource& resource)
{
    std::string text;
    for (const auto& entry : resource.reservations()) {
        if (!text.empty()) text += ",";
        text += "(" + v1::Resource::ReservationInfo::Type_Name(entry.type()) + "," + entry.role();
        if (entry.has_principal()) text += "," + entry.principal();
        if (entry.has_labels()) {
            text += ",{";
            for (const auto& label : entry.labels().labels())
                text += (text.ends_with('{') ? "" : ", ") + label.key() +
                        (label.has_value() ? ": " + label.value() : "");
            text += "}";
        }
        text += ")";
    }
    return "(reservations: [" + text + "])";
}

std::string amount(const v1::Resource& resource)
{
    std::string text;
    switch (resource.type()) {
        case v1::Value::SCALAR: return number(resource.scalar().value());
        case v1::Value::RANGES:
            for (const auto& range : resource.ranges().range())
                text += (text.empty() ? "" : ", ") + std::to_string(range.begin()) + "-" +
                        std::to_string(range.end());
            return "[" + text + "]";
        case v1::Value::SET:
            for (const auto& item : resource.set().item())
                text += (text.empty() ? "" : ", ") + item;
            return "{" + text + "}";
        case v1::Value::TEXT: break;
    }
    return text;
}

}  // namespace

std::string to_text(const v1::Resource& resource)
{
    std::string text = resource.name();
    if (resource.has_allocation_info())
        text += "(allocated: " + resource.allocation_info().role() + ")";
    if (resource.reservations_size() > 0) text += reservations(resource);
    if (resource.has_disk()) {
        std::string disk = resource.disk().persistence().id();
        if (resource.disk().has_volume()) disk += ":" + resource.disk().volume().container_path();
        text += "[" + disk + "]";
    }
    if (resource.has_revocable()) text += "{REV}";
    if (resource.has_shared()) text += "<SHARED>";
    return text + ":" + amount(resource);
}

std::string to_text(const Resources& resources)
{
    if (resources.empty()) return "{}";
    std::string text;
    for (const auto& item : resources.items()) text += (text.empty() ? "" : "; ") + to_text(item);
    return text;
}

}  // namespace mysos::standin
