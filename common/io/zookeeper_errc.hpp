#pragma once

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>

#include <type_traits>

namespace mysos::zookeeper {

/// Why an operation on ZooKeeper did not happen, or may not have. Each says what the caller does
/// next.
enum class Errc {
    no_node = 1,                 ///< The node (on create: its parent) is not there. A decision.
    node_exists,                 ///< Somebody made it before. A decision.
    bad_version,                 ///< Somebody wrote in between. Read again, decide again.
    not_empty,                   ///< Has children. Remove them first.
    no_children_for_ephemerals,  ///< A mistake of the caller's.
    not_authorized,              ///< The ACL forbids it. A person has to mend credentials or ACL.
    auth_failed,                 ///< The ensemble refuses the credentials. The same.
    connection_lost,             ///< Under way when the connection went. A write may have happened.
    not_connected,               ///< Never sent: no connection by the deadline. Nothing happened.
    timed_out,                   ///< No answer by the deadline. A write may have happened.
    session_expired,             ///< Ephemeral nodes are gone. Begin again on the new session.
    rolled_back,                 ///< This part of a multi would hold, another part did not.
    bad_arguments,  ///< Path or data that ZooKeeper refuses. A mistake of the caller's.
    closed,         ///< The client was closed. We are ending.
    other,          ///< Anything else the library says. Log it, try again later.
};

[[nodiscard]] const boost::system::error_category& category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(Errc e) noexcept
{
    return {static_cast<int>(e), category()};
}

/// The library's code (ZOO_ERRORS), which is not ZOK.
[[nodiscard]] Errc errc_of_library(int code) noexcept;

}  // namespace mysos::zookeeper

template <>
struct boost::system::is_error_code_enum<mysos::zookeeper::Errc> : std::true_type {};
