#include "common/wire/base64.hpp"
#include "common/wire/errc.hpp"
#include "common/wire/json.hpp"

#include <google/protobuf/descriptor.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace mysos::wire {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::json;

constexpr int depth_max = 100;  // Protobuf's own limit for nested messages.

/// An integer of any spelling: 5, 5.0, "5". None: not a number, or it does not fit.
template <class Integer>
std::optional<Integer> read_integer(const json& value)
{
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        if (!std::in_range<Integer>(number)) return std::nullopt;
        return static_cast<Integer>(number);
    }
    if (value.is_number_integer()) {
        const auto number = value.get<std::int64_t>();
        if (!std::in_range<Integer>(number)) return std::nullopt;
        return static_cast<Integer>(number);
    }
    if (value.is_number_float()) {
        // Both bounds are exact as doubles, the upper one being a power of two.
        const double number = std::trunc(value.get<double>());
        const auto low = static_cast<double>(std::numeric_limits<Integer>::min());
        const double high = std::ldexp(1.0, std::numeric_limits<Integer>::digits);
        if (!(number >= low && number < high)) return std::nullopt;
        return static_cast<Integer>(number);
    }
    if (value.is_string()) {
        const json inner = json::parse(value.get_ref<const std::string&>(), nullptr, false);
        if (inner.is_number()) return read_integer<Integer>(inner);
    }
    return std::nullopt;
}

std::optional<double> read_double(const json& value)
{
    if (value.is_number()) return value.get<double>();
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    const json inner = json::parse(text, nullptr, false);
    return inner.is_number() ? std::optional{inner.get<double>()} : std::nullopt;
}

std::optional<bool> read_bool(const json& value)
{
    if (value.is_boolean()) return value.get<bool>();
    if (value == "true") return true;
    if (value == "false") return false;
    return std::nullopt;
}

class Decoder {
  public:
    [[nodiscard]] bool message(const json& object, Message& into, int depth)
    {
        if (!object.is_object()) return fault("not an object");
        if (depth > depth_max) return fault("nested too deeply");
        for (const auto& [key, value] : object.items()) {
            const FieldDescriptor* field = into.GetDescriptor()->FindFieldByName(key);
            if (field == nullptr || value.is_null()) continue;
            const std::size_t length = path_.size();
            path_.append(path_.empty() ? "" : ".").append(key);
            if (!any_field(value, into, *field, depth)) return false;
            path_.resize(length);
        }
        return true;
    }

    [[nodiscard]] std::string why() const { return path_.empty() ? fault_ : path_ + ": " + fault_; }

  private:
    [[nodiscard]] bool any_field(
        const json& value, Message& into, const FieldDescriptor& field, int depth)
    {
        if (field.is_map()) return map(value, into, field, depth);
        if (!value.is_array()) return one(value, into, field, depth);
        if (!field.is_repeated()) return fault("a list, where one value is expected");
        for (const json& element : value) {
            if (element.is_null()) continue;
            if (!one(element, into, field, depth)) return false;
        }
        return true;
    }

    [[nodiscard]] bool map(
        const json& value, Message& into, const FieldDescriptor& field, int depth)
    {
        if (!value.is_object()) return fault("not an object");
        for (const auto& [key, mapped] : value.items()) {
            Message& entry = *into.GetReflection()->AddMessage(&into, &field);
            if (!one(json(key), entry, *field.message_type()->map_key(), depth)) return false;
            if (mapped.is_null()) continue;
            if (!one(mapped, entry, *field.message_type()->map_value(), depth)) return false;
        }
        return true;
    }

    /// One value into a singular field, or as one more element of a list.
    [[nodiscard]] bool one(
        const json& value, Message& into, const FieldDescriptor& field, int depth)
    {
        Reflection const* const reflection = into.GetReflection();
        switch (field.cpp_type()) {
            case FieldDescriptor::CPPTYPE_MESSAGE:
                return message(
                    value,
                    field.is_repeated() ? *reflection->AddMessage(&into, &field)
                                        : *reflection->MutableMessage(&into, &field),
                    depth + 1);
            case FieldDescriptor::CPPTYPE_ENUM: return enumerator(value, into, field);
            case FieldDescriptor::CPPTYPE_STRING: return text(value, into, field);
            case FieldDescriptor::CPPTYPE_INT32:
                return put(
                    read_integer<std::int32_t>(value),
                    into,
                    field,
                    &Reflection::SetInt32,
                    &Reflection::AddInt32);
            case FieldDescriptor::CPPTYPE_INT64:
                return put(
                    read_integer<std::int64_t>(value),
                    into,
                    field,
                    &Reflection::SetInt64,
                    &Reflection::AddInt64);
            case FieldDescriptor::CPPTYPE_UINT32:
                return put(
                    read_integer<std::uint32_t>(value),
                    into,
                    field,
                    &Reflection::SetUInt32,
                    &Reflection::AddUInt32);
            case FieldDescriptor::CPPTYPE_UINT64:
                return put(
                    read_integer<std::uint64_t>(value),
                    into,
                    field,
                    &Reflection::SetUInt64,
                    &Reflection::AddUInt64);
            default: return rare(value, into, field);
        }
    }

    [[nodiscard]] bool rare(const json& value, Message& into, const FieldDescriptor& field)
    {
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
            return put(read_bool(value), into, field, &Reflection::SetBool, &Reflection::AddBool);
        }
        const std::optional<double> number = read_double(value);
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
            return put(number, into, field, &Reflection::SetDouble, &Reflection::AddDouble);
        }
        const auto single =
            number ? std::optional{static_cast<float>(*number)} : std::optional<float>{};
        return put(single, into, field, &Reflection::SetFloat, &Reflection::AddFloat);
    }

    [[nodiscard]] bool enumerator(const json& value, Message& into, const FieldDescriptor& field)
    {
        if (!value.is_string()) return fault("not the name of an enumerator");
        const EnumValueDescriptor* known =
            field.enum_type()->FindValueByName(value.get_ref<const std::string&>());
        if (known == nullptr) return true;
        return put(std::optional{known}, into, field, &Reflection::SetEnum, &Reflection::AddEnum);
    }

    [[nodiscard]] bool text(const json& value, Message& into, const FieldDescriptor& field)
    {
        if (!value.is_string()) return fault("not a text");
        auto string = value.get<std::string>();
        if (field.type() == FieldDescriptor::TYPE_BYTES) {
            Result<std::string> bytes = decode_base64(string);
            if (!bytes) return fault("not base64");
            string = std::move(*bytes);
        }
        return put(
            std::optional{std::move(string)},
            into,
            field,
            &Reflection::SetString,
            &Reflection::AddString);
    }

    template <class T>
    [[nodiscard]] bool put(
        std::optional<T> value,
        Message& into,
        const FieldDescriptor& field,
        void (Reflection::*set)(Message*, const FieldDescriptor*, T) const,
        void (Reflection::*add)(Message*, const FieldDescriptor*, T) const)
    {
        if (!value) return fault("a value of the wrong kind");
        const Reflection& reflection = *into.GetReflection();
        (reflection.*(field.is_repeated() ? add : set))(&into, &field, std::move(*value));
        return true;
    }

    [[nodiscard]] bool fault(std::string_view what)
    {
        fault_ = what;
        return false;
    }

    std::string path_;  ///< Names of the fields down to the one at hand.
    std::string fault_;
};

}  // namespace

ErrorCode parse_json(std::string_view text, Message& message, std::string* why)
{
    const json value = json::parse(text, nullptr, false);
    Decoder decoder;
    if (value.is_discarded() || !decoder.message(value, message, 1)) {
        if (why != nullptr) *why = value.is_discarded() ? "not JSON" : decoder.why();
        return Errc::message_malformed;
    }
    if (!message.IsInitialized()) {
        if (why != nullptr) *why = "missing " + message.InitializationErrorString();
        return Errc::message_incomplete;
    }
    return {};
}

}  // namespace mysos::wire
