#include "common/wire/base64.hpp"
#include "common/wire/json.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace mysos::wire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void append_text(std::string& out, std::string_view text)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    out.push_back('"');
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '"': out.append("\\\""); break;
            case '\\': out.append("\\\\"); break;
            case '\b': out.append("\\b"); break;
            case '\f': out.append("\\f"); break;
            case '\n': out.append("\\n"); break;
            case '\r': out.append("\\r"); break;
            case '\t': out.append("\\t"); break;
            default:
                if (byte < 0x20) {
                    out.append("\\u00").append({hex[byte >> 4U], hex[byte & 15U]});
                } else {
                    out.push_back(c);
                }
        }
    }
    out.push_back('"');
}

/// The shortest digits that round-trip, laid out as RapidJSON does: plain from 1e-6 up to 1e21.
void append_double(std::string& out, double value)
{
    if (std::isnan(value)) return append_text(out, "NaN");
    if (std::isinf(value)) return append_text(out, value < 0 ? "-Infinity" : "Infinity");

    std::array<char, 32> buffer{};
    const auto end = std::to_chars(
        buffer.data(),
        buffer.data() + buffer.size(),
        std::abs(value),
        std::chars_format::scientific);
    const std::string_view text{buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::size_t exponent_at = e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(text.data() + exponent_at, text.data() + text.size(), exponent);
    std::string digits{text.substr(0, 1)};
    if (e > 2) digits.append(text.substr(2, e - 2));

    if (std::signbit(value)) out.push_back('-');
    const int digit_count = static_cast<int>(digits.size());
    const int point = exponent + 1;  // How many digits stand before the decimal point.
    if (point > 21 || point <= -6) {
        if (digit_count > 1) digits.insert(1, ".");
        out.append(digits).append("e").append(std::to_string(exponent));
    } else if (point <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
    } else if (digit_count <= point) {
        out.append(digits).append(static_cast<std::size_t>(point - digit_count), '0').append(".0");
    } else {
        out.append(digits.insert(static_cast<std::size_t>(point), "."));
    }
}

void append_message(std::string& out, const Message& message);

/// One value: that of a singular field, its default when unset, or element `index` of a list.
class Value {
  public:
    Value(const Message& message, const FieldDescriptor& field, int index = -1)
        : message_{message}, field_{field}, reflection_{*message.GetReflection()}, index_{index}
    {}

    void append(std::string& out) const
    {
        switch (field_.cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT32: out += std::to_string(int32()); break;
            case FieldDescriptor::CPPTYPE_INT64: out += std::to_string(int64()); break;
            case FieldDescriptor::CPPTYPE_UINT32: out += std::to_string(uint32()); break;
            case FieldDescriptor::CPPTYPE_UINT64: out += std::to_string(uint64()); break;
            case FieldDescriptor::CPPTYPE_DOUBLE: append_double(out, real()); break;
            case FieldDescriptor::CPPTYPE_FLOAT: append_double(out, single()); break;
            case FieldDescriptor::CPPTYPE_BOOL: out += boolean() ? "true" : "false"; break;
            case FieldDescriptor::CPPTYPE_ENUM: append_text(out, enumerator()); break;
            case FieldDescriptor::CPPTYPE_MESSAGE: append_message(out, sub_message()); break;
            case FieldDescriptor::CPPTYPE_STRING:
                append_text(
                    out,
                    field_.type() == FieldDescriptor::TYPE_BYTES ? encode_base64(text()) : text());
                break;
        }
    }

    [[nodiscard]] std::string as_key() const
    {
        if (field_.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return text();
        std::string key;
        append(key);
        return key;
    }

  private:
    template <class T>
    [[nodiscard]] T pick(
        T (Reflection::*single_getter)(const Message&, const FieldDescriptor*) const,
        T (Reflection::*list_getter)(const Message&, const FieldDescriptor*, int) const) const
    {
        return index_ < 0 ? (reflection_.*single_getter)(message_, &field_)
                          : (reflection_.*list_getter)(message_, &field_, index_);
    }

    [[nodiscard]] std::int32_t int32() const
    {
        return pick(&Reflection::GetInt32, &Reflection::GetRepeatedInt32);
    }
    [[nodiscard]] std::int64_t int64() const
    {
        return pick(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
    }
    [[nodiscard]] std::uint32_t uint32() const
    {
        return pick(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
    }
    [[nodiscard]] std::uint64_t uint64() const
    {
        return pick(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
    }
    [[nodiscard]] double real() const
    {
        return pick(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
    }
    [[nodiscard]] double single() const
    {
        return static_cast<double>(pick(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
    }
    [[nodiscard]] bool boolean() const
    {
        return pick(&Reflection::GetBool, &Reflection::GetRepeatedBool);
    }
    [[nodiscard]] std::string text() const
    {
        return pick(&Reflection::GetString, &Reflection::GetRepeatedString);
    }
    [[nodiscard]] const std::string& enumerator() const
    {
        return pick(&Reflection::GetEnum, &Reflection::GetRepeatedEnum)->name();
    }
    [[nodiscard]] const Message& sub_message() const
    {
        return index_ < 0 ? reflection_.GetMessage(message_, &field_)
                          : reflection_.GetRepeatedMessage(message_, &field_, index_);
    }

    const Message& message_;
    const FieldDescriptor& field_;
    const Reflection& reflection_;
    int index_;
};

void append_map(std::string& out, const Message& message, const FieldDescriptor& field)
{
    const Reflection& reflection = *message.GetReflection();
    std::map<std::string, const Message*> entries;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
        entries[Value{entry, *field.message_type()->map_key()}.as_key()] = &entry;
    }
    out.push_back('{');
    for (const auto& [key, entry] : entries) {
        if (out.back() != '{') out.push_back(',');
        append_text(out, key);
        out.push_back(':');
        Value{*entry, *field.message_type()->map_value()}.append(out);
    }
    out.push_back('}');
}

void append_list(std::string& out, const Message& message, const FieldDescriptor& field)
{
    out.push_back('[');
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
        if (i > 0) out.push_back(',');
        Value{message, field, i}.append(out);
    }
    out.push_back(']');
}

bool is_written(const Message& message, const FieldDescriptor& field)
{
    const Reflection& reflection = *message.GetReflection();
    if (field.is_repeated()) return reflection.FieldSize(message, &field) > 0;
    if (reflection.HasField(message, &field)) return true;
    return field.has_default_value() && !field.options().deprecated();
}

void append_message(std::string& out, const Message& message)
{
    const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
    bool first = true;
    out.push_back('{');
    for (int i = 0; i < descriptor.field_count(); ++i) {
        const FieldDescriptor& field = *descriptor.field(i);
        if (!is_written(message, field)) continue;
        if (!first) out.push_back(',');
        first = false;
        append_text(out, field.name());
        out.push_back(':');
        if (field.is_map()) {
            append_map(out, message, field);
        } else if (field.is_repeated()) {
            append_list(out, message, field);
        } else {
            Value{message, field}.append(out);
        }
    }
    out.push_back('}');
}

}  // namespace

std::string to_json(const Message& message)
{
    std::string out;
    append_message(out, message);
    return out;
}

}  // namespace mysos::wire
