#pragma once

#include "common/base/result.hpp"
#include "common/control/messages.hpp"

#include <string>
#include <string_view>

/// The control stream's messages as bytes and back.
///
/// Shape:  one unframed protobuf message of proto/mysos/control.proto; the framing is the caller's.
/// Errors: message_malformed: not such a message, a oneof that is not set or not known, or a number
///         that does not fit. An enumerator that a newer peer added is read as `unknown`.
/// Source: proto/mysos/control.proto.
namespace mysos::wire {

[[nodiscard]] std::string encode(const control::Hello& hello);
[[nodiscard]] Result<control::Hello> decode_hello(std::string_view bytes);

[[nodiscard]] std::string encode(const control::FromMember& message);
[[nodiscard]] Result<control::FromMember> decode_from_member(std::string_view bytes);

[[nodiscard]] std::string encode(const control::ToMember& order);
[[nodiscard]] Result<control::ToMember> decode_to_member(std::string_view bytes);

}  // namespace mysos::wire
