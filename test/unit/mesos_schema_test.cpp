#include "mesos/v1/executor.pb.h"
#include "mesos/v1/mesos.pb.h"
#include "mesos/v1/scheduler.pb.h"

#include <catch2/catch.hpp>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using nlohmann::json;

namespace {

/// What `protoc` made of Mesos's own files: facts, not opinions.
const json& facts()
{
    static const json schema =
        json::parse(std::ifstream{std::string{MYSOS_TEST_DATA} + "/mesos-v1-schema.json"});
    return schema;
}

json described_default(const FieldDescriptor& field)
{
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_INT32: return field.default_value_int32();
        case FieldDescriptor::CPPTYPE_INT64: return field.default_value_int64();
        case FieldDescriptor::CPPTYPE_UINT32: return field.default_value_uint32();
        case FieldDescriptor::CPPTYPE_UINT64: return field.default_value_uint64();
        case FieldDescriptor::CPPTYPE_DOUBLE: return field.default_value_double();
        case FieldDescriptor::CPPTYPE_FLOAT: return field.default_value_float();
        case FieldDescriptor::CPPTYPE_BOOL: return field.default_value_bool();
        case FieldDescriptor::CPPTYPE_ENUM: return field.default_value_enum()->name();
        case FieldDescriptor::CPPTYPE_STRING: return field.default_value_string();
        default: return nullptr;
    }
}

json described_type(const FieldDescriptor& field)
{
    json type{{"type", field.type_name()}};
    if (field.message_type() != nullptr) type["type_name"] = field.message_type()->full_name();
    if (field.enum_type() != nullptr) type["type_name"] = field.enum_type()->full_name();
    return type;
}

/// A compiled field in the form of the fact sheet.
json described(const FieldDescriptor& field)
{
    constexpr std::array<const char*, 4> labels{"", "optional", "required", "repeated"};
    json described = described_type(field);
    described["name"] = field.name();
    described["number"] = field.number();
    described["label"] = labels.at(static_cast<std::size_t>(field.label()));
    if (field.has_default_value()) described["default"] = described_default(field);
    if (field.options().deprecated()) described["deprecated"] = true;
    if (field.real_containing_oneof() != nullptr) {
        described["oneof"] = field.real_containing_oneof()->name();
    }
    if (field.is_map()) {
        described["is_map"] = true;
        described["map_key"] = described_type(*field.message_type()->map_key());
        described["map_value"] = described_type(*field.message_type()->map_value());
    }
    return described;
}

json described(const EnumDescriptor& type)
{
    json values = json::array();
    for (int i = 0; i < type.value_count(); ++i) {
        values.push_back({{"name", type.value(i)->name()}, {"number", type.value(i)->number()}});
    }
    return values;
}

struct Compiled {
    std::map<std::string, const Descriptor*> messages;  ///< Without the entry types of maps.
    std::map<std::string, const EnumDescriptor*> enums;
};

void collect(const Descriptor& message, Compiled& into)
{
    if (message.options().map_entry()) return;
    // A message that nothing reaches and that only gives its name to others, like Value.
    const bool only_scope = message.field_count() == 0 && message.nested_type_count() > 0 &&
                            !facts().at("messages").contains(message.full_name());
    if (!only_scope) into.messages[message.full_name()] = &message;
    for (int i = 0; i < message.nested_type_count(); ++i) collect(*message.nested_type(i), into);
    for (int i = 0; i < message.enum_type_count(); ++i) {
        into.enums[message.enum_type(i)->full_name()] = message.enum_type(i);
    }
}

const Compiled& compiled()
{
    static const Compiled all = [] {
        Compiled found;
        for (const FileDescriptor* file :
             {mesos::v1::Offer::descriptor()->file(),
              mesos::v1::scheduler::Call::descriptor()->file(),
              mesos::v1::executor::Call::descriptor()->file()}) {
            for (int i = 0; i < file->message_type_count(); ++i) {
                collect(*file->message_type(i), found);
            }
            for (int i = 0; i < file->enum_type_count(); ++i) {
                found.enums[file->enum_type(i)->full_name()] = file->enum_type(i);
            }
        }
        return found;
    }();
    return all;
}

/// By name: the sheet is sorted by number, our files keep Mesos's order, which JSON output follows
/// and the recorded traffic proves.
std::map<std::string, json> by_name(const json& items)
{
    std::map<std::string, json> named;
    for (const json& item : items) named[item.at("name")] = item;
    return named;
}

}  // namespace

TEST_CASE("mesos schema: every compiled message has exactly Mesos's fields", "[schema]")
{
    REQUIRE(compiled().messages.size() > 100);
    for (const auto& [name, message] : compiled().messages) {
        INFO(name);
        REQUIRE(facts().at("messages").contains(name));
        json fields = json::array();
        for (int i = 0; i < message->field_count(); ++i) {
            fields.push_back(described(*message->field(i)));
        }
        // The same names, numbers, types, labels, defaults, oneofs and maps, no more and no less.
        CHECK(by_name(fields) == by_name(facts().at("messages").at(name).at("fields")));
    }
}

TEST_CASE("mesos schema: every compiled enum has exactly Mesos's values", "[schema]")
{
    REQUIRE(compiled().enums.size() > 20);
    for (const auto& [name, type] : compiled().enums) {
        INFO(name);
        REQUIRE(facts().at("enums").contains(name));
        const json& fact = facts().at("enums").at(name);
        CHECK(described(*type) == fact.at("values"));
        CHECK(type->value(0)->name() == fact.at("first_value_is_default"));
    }
}

TEST_CASE("mesos schema: all that calls and events reach is compiled", "[schema]")
{
    std::set<std::string> missing;
    for (const auto& [name, fact] : facts().at("messages").items()) {
        if (fact.at("package") == "mesos") continue;  // The master's znode, which is JSON.
        if (!compiled().messages.contains(name)) missing.insert(name);
    }
    for (const auto& [name, fact] : facts().at("enums").items()) {
        if (fact.at("package") == "mesos") continue;
        if (!compiled().enums.contains(name)) missing.insert(name);
    }
    // The sheet lists the entry types of maps as messages too.
    std::erase_if(missing, [](const std::string& name) { return name.ends_with("Entry"); });
    CHECK(missing == std::set<std::string>{});
}
