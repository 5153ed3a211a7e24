#pragma once

#include "common/base/result.hpp"

#include <boost/system/error_category.hpp>

#include <type_traits>

namespace mysos::scheduler {

/// Why this scheduler ends. A supervisor starts it anew; only the first two need a person.
enum class Errc {
    state_unreadable = 1,  ///< What is stored cannot be understood; nothing was changed.
    refused_by_mesos,      ///< The framework was removed, or refused for good.
    deposed,               ///< Another scheduler leads, or may: the state is no longer ours.
};

[[nodiscard]] const boost::system::error_category& category() noexcept;

[[nodiscard]] inline ErrorCode make_error_code(Errc e) noexcept
{
    return {static_cast<int>(e), category()};
}

}  // namespace mysos::scheduler

template <>
struct boost::system::is_error_code_enum<mysos::scheduler::Errc> : std::true_type {};
