#pragma once

#include "common/base/result.hpp"

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <string>

namespace mysos {

/// Why something outside did not work: `code` for the program, `text` for a person. The text is one
/// line, names what was tried, and never holds a secret.
struct Failure {
    ErrorCode code;
    std::string text;
    friend bool operator==(const Failure&, const Failure&) = default;
};

/// A value or the reason there is none, in words.
template <class T>
using Outcome = boost::system::result<T, Failure>;

/// What `Outcome::value()` throws; found by argument-dependent lookup.
[[noreturn]] inline void throw_exception_from_error(
    const Failure& failure, const boost::source_location& where)
{
    boost::throw_exception(boost::system::system_error(failure.code, failure.text), where);
}

}  // namespace mysos
