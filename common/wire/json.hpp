#pragma once

#include "common/base/result.hpp"

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

/// JSON text of a protobuf message in Mesos's dialect, which is not protobuf's own: 64-bit integers
/// are numbers, names are as in the .proto, explicit defaults are written out.
namespace mysos::wire {

/// Shape:  compact; fields in the order of their declaration; enums by name; bytes as base64; maps
/// as
///         objects, sorted by key. An unset field is left out, unless it has an explicit default
///         and is not deprecated. A double always has a decimal point or an exponent; infinity is
///         the text "Infinity".
/// Source: Mesos stout `protobuf.hpp` (JSON::protobuf, jsonify) and what a real master sent.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);

/// Shape:  one JSON object and nothing after it. Unknown keys and null are ignored, of equal keys
/// the
///         last one counts. A number may come as text, a single value for a list of one. Enums by
///         name only; an unknown name leaves the field unset.
/// Errors: message_malformed: not JSON, or a value of the wrong kind; message_incomplete: a
/// required
///         field is missing. Then `why`, if given, says where, never the value.
[[nodiscard]] ErrorCode parse_json(
    std::string_view text, google::protobuf::Message& message, std::string* why = nullptr);

template <class Message>
[[nodiscard]] Result<Message> parse_json(std::string_view text)
{
    Message message;
    if (const ErrorCode ec = parse_json(text, message)) return ec;
    return message;
}

}  // namespace mysos::wire
