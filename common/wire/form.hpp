#pragma once

#include "common/base/result.hpp"

#include <boost/system/error_category.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

/// Form fields out of a request body: what `curl --data` and `curl --form` send.
namespace mysos::wire {

/// A field sent twice keeps its last value, as it did in Cotton's web framework.
using Form = std::map<std::string, std::string, std::less<>>;

/// Why a body is not a form. Every one of them is answered with 400, `content_type_unsupported`
/// with 415.
enum class FormErrc {
    content_type_unsupported = 1,  ///< Neither urlencoded nor multipart/form-data.
    boundary_missing,              ///< multipart/form-data without a usable boundary parameter.
    escape_malformed,              ///< A '%' without two hex digits after it.
    part_malformed,                ///< A part without CRLF lines or without a name.
    part_unfinished,               ///< The body ends before the closing boundary.
    too_many_fields,               ///< More than `form_fields_max`.
};

inline constexpr std::size_t form_fields_max = 64;

[[nodiscard]] const boost::system::error_category& form_category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(FormErrc e) noexcept
{
    return {static_cast<int>(e), form_category()};
}

/// Reads a form body of either kind.
///
/// Shape:  `content_type` as the header has it, parameters included; empty counts as urlencoded.
///         multipart: each part's value ends before CRLF "--" boundary; preamble and epilogue are
///         skipped, a part's own Content-Type and filename are ignored.
/// Units:  bytes. The caller bounds the body's size; the number of fields is bounded here.
/// Errors: FormErrc.
/// Source: RFC 7578 and RFC 2046 section 5.1.1; WHATWG URL, application/x-www-form-urlencoded.
[[nodiscard]] Result<Form> parse_form(std::string_view content_type, std::string_view body);

/// "a%2Fb" -> "a/b". '+' stays: this is the form of a path segment.
/// Errors: escape_malformed.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);

}  // namespace mysos::wire

template <>
struct boost::system::is_error_code_enum<mysos::wire::FormErrc> : std::true_type {};
