#include "common/wire/protobuf.hpp"

#include "common/base/expects.hpp"
#include "common/wire/errc.hpp"

#include <limits>

namespace mysos::wire {

ErrorCode parse_protobuf(
    std::string_view bytes, google::protobuf::MessageLite& message, std::string* why)
{
    constexpr std::size_t size_max = std::numeric_limits<int>::max();  // Protobuf's own.
    // Not ParseFromString: that writes to stderr where a required field is missing.
    const bool parsed = bytes.size() <= size_max &&
                        message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()));
    if (!parsed) {
        if (why != nullptr) *why = "not a " + message.GetTypeName();
        return Errc::message_malformed;
    }
    if (!message.IsInitialized()) {
        if (why != nullptr) *why = "missing " + message.InitializationErrorString();
        return Errc::message_incomplete;
    }
    return {};
}

std::string serialize_protobuf(const google::protobuf::MessageLite& message)
{
    expects(message.IsInitialized());
    return message.SerializeAsString();
}

}  // namespace mysos::wire
