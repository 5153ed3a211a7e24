#pragma once

#include "common/base/result.hpp"
#include "common/mesos/call.hpp"
#include "common/mesos/event.hpp"

#include <string>
#include <string_view>

namespace mesos::v1 {
class Resource;
namespace scheduler {
class Event;
}
}  // namespace mesos::v1

namespace mysos::wire {

/// Shape:  one `mesos.v1.scheduler.Event` in protobuf: the body of one record of the event stream.
/// Units:  resources become thousandths; an agent's address is the one of the offer's `url`.
/// Errors: message_malformed, for bytes that are no Event or lack what its type needs. An event of
/// a
///         type not known here is `mesos::NotUnderstood`, never an error: a newer master may send
///         it.
[[nodiscard]] Result<mesos::Event> decode_event(std::string_view bytes);
[[nodiscard]] Result<mesos::Event> to_event(const ::mesos::v1::scheduler::Event& event);

/// The body of a SUBSCRIBE, in protobuf.
[[nodiscard]] std::string encode_subscribe(const mesos::Subscribe& subscribe);
/// The body of any other call. What came from an offer is written back word for word.
[[nodiscard]] std::string encode_call(
    const mesos::Call& call, const mesos::FrameworkId& framework_id);

/// One resource in either form of reservation; always post form on the way back.
[[nodiscard]] mesos::Resource to_resource(const ::mesos::v1::Resource& resource);
void write_resource(const mesos::Resource& resource, ::mesos::v1::Resource& to);

}  // namespace mysos::wire
