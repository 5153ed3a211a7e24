#pragma once

#include "common/base/result.hpp"
#include "common/cluster/record.hpp"

#include <string>
#include <string_view>

namespace mysos::wire {

/// What is written; a reader keeps the fields of a newer minor version and refuses a newer major.
inline constexpr unsigned state_format_major = 1;
inline constexpr unsigned state_format_minor = 0;

/// Shape:  one `mysos.state.Cluster`, or `Framework`, in protobuf; see proto/mysos/state.proto.
/// Errors: state_corrupt: the bytes are no such message, or break a rule that every writer keeps
///         (no format, no name). state_too_new: a newer major wrote it. Either way the caller must
///         not write there: it refuses to start, names the place and changes nothing.
[[nodiscard]] Result<cluster::Record> decode_cluster(std::string_view bytes);
[[nodiscard]] Result<cluster::FrameworkRecord> decode_framework(std::string_view bytes);

[[nodiscard]] std::string encode_cluster(const cluster::Record& record);
[[nodiscard]] std::string encode_framework(const cluster::FrameworkRecord& record);

}  // namespace mysos::wire
