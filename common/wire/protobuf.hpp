#pragma once

#include "common/base/result.hpp"

#include <google/protobuf/message_lite.h>

#include <string>
#include <string_view>

namespace mysos::wire {

/// Reads one message from its bytes. Fields that we do not know are kept and written out again.
/// Errors: message_malformed; message_incomplete, a required field is missing somewhere. Then
///         `why`, if given, says which, as names only, never values. `message` is to be thrown
///         away.
[[nodiscard]] ErrorCode parse_protobuf(
    std::string_view bytes, google::protobuf::MessageLite& message, std::string* why = nullptr);

template <class Message>
[[nodiscard]] Result<Message> parse_protobuf(std::string_view bytes)
{
    Message message;
    if (const ErrorCode ec = parse_protobuf(bytes, message)) return ec;
    return message;
}

/// The bytes of a message. One that lacks a required field is our mistake: a broken contract.
[[nodiscard]] std::string serialize_protobuf(const google::protobuf::MessageLite& message);

}  // namespace mysos::wire
