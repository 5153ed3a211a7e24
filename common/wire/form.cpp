#include "common/wire/form.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mysos::wire {
namespace {

constexpr std::size_t boundary_size_max = 70;  // RFC 2046 section 5.1.1.

class FormCategory final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "form"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<FormErrc>(value)) {
            case FormErrc::content_type_unsupported:
                return "the body is not a form: send application/x-www-form-urlencoded or "
                       "multipart/form-data, as 'curl --form name=value' does";
            case FormErrc::boundary_missing:
                return "multipart/form-data without a boundary in its Content-Type";
            case FormErrc::escape_malformed: return "a '%' is not followed by two hex digits";
            case FormErrc::part_malformed: return "a multipart part is malformed or has no name";
            case FormErrc::part_unfinished:
                return "the multipart body ends before its closing boundary";
            case FormErrc::too_many_fields: return "too many form fields";
        }
        return "unknown form error " + std::to_string(value);
    }
};

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (lower(c) >= 'a' && lower(c) <= 'f') return static_cast<unsigned>(lower(c) - 'a') + 10;
    return std::nullopt;
}

enum class Plus { is_space, is_plus };

Result<std::string> decode(std::string_view text, Plus plus)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::is_space) {
            decoded.push_back(' ');
        } else if (text[i] != '%') {
            decoded.push_back(text[i]);
        } else {
            if (text.size() - i < 3) return FormErrc::escape_malformed;
            const std::optional<unsigned> high = hex_digit(text[i + 1]);
            const std::optional<unsigned> low = hex_digit(text[i + 2]);
            if (!high || !low) return FormErrc::escape_malformed;
            decoded.push_back(static_cast<char>(*high * 16 + *low));
            i += 2;
        }
    }
    return decoded;
}

Result<Form> parse_urlencoded(std::string_view body)
{
    Form form;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('&'), body.size());
        const std::string_view pair = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (pair.empty()) continue;

        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view raw_value = pair.substr(std::min(equals + 1, pair.size()));
        Result<std::string> name = decode(pair.substr(0, equals), Plus::is_space);
        if (!name) return name.error();
        Result<std::string> value = decode(raw_value, Plus::is_space);
        if (!value) return value.error();
        form.insert_or_assign(std::move(*name), std::move(*value));
        if (form.size() > form_fields_max) return FormErrc::too_many_fields;
    }
    return form;
}

/// A quoted or bare value at the beginning of `text`, and where it ends; nothing when its quotes do
/// not close.
struct Value {
    std::string text;
    std::size_t end = 0;
};
std::optional<Value> leading_value(std::string_view text)
{
    if (text.empty() || text.front() != '"') {
        const std::size_t end = std::min(text.find(';'), text.size());
        return Value{std::string{trimmed(text.substr(0, end))}, end};
    }
    Value value;
    std::size_t i = 1;
    for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value.text.push_back(text[i]);
    }
    if (i >= text.size()) return std::nullopt;
    value.end = i;
    return value;
}

/// The parameter `name` of a header value such as `form-data; name="a;b"`; nothing when absent or
/// when its quotes do not close.
std::optional<std::string> parameter(std::string_view header, std::string_view name)
{
    std::size_t at = header.find(';');
    while (at != std::string_view::npos) {
        header.remove_prefix(at + 1);
        const std::size_t equals = header.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const bool wanted = equals_ignoring_case(trimmed(header.substr(0, equals)), name);
        header.remove_prefix(equals + 1);

        std::optional<Value> value = leading_value(header);
        if (!value) return std::nullopt;
        if (wanted) return std::move(value->text);
        at = header.find(';', value->end);
    }
    return std::nullopt;
}

std::optional<std::string> part_name(std::string_view headers)
{
    while (!headers.empty()) {
        const std::size_t end = std::min(headers.find("\r\n"), headers.size());
        const std::string_view line = headers.substr(0, end);
        headers.remove_prefix(std::min(end + 2, headers.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        if (!equals_ignoring_case(line.substr(0, colon), "Content-Disposition")) continue;
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (!equals_ignoring_case(trimmed(value.substr(0, value.find(';'))), "form-data")) {
            return std::nullopt;
        }
        return parameter(value, "name");
    }
    return std::nullopt;
}

Result<Form> parse_multipart(std::string_view content_type, std::string_view body)
{
    const std::optional<std::string> boundary = parameter(content_type, "boundary");
    if (!boundary || boundary->empty() || boundary->size() > boundary_size_max) {
        return FormErrc::boundary_missing;
    }
    const std::string delimiter = "\r\n--" + *boundary;

    // The first delimiter may stand at the very start, without the CRLF of the later ones.
    const std::string_view opening = std::string_view{delimiter}.substr(2);
    if (body.starts_with(opening)) {
        body.remove_prefix(opening.size());
    } else {
        const std::size_t start = body.find(delimiter);
        if (start == std::string_view::npos) return FormErrc::part_unfinished;
        body.remove_prefix(start + delimiter.size());
    }

    Form form;
    while (!body.starts_with("--")) {
        body.remove_prefix(std::min(body.find_first_not_of(" \t"), body.size()));
        if (body.empty()) return FormErrc::part_unfinished;
        if (!body.starts_with("\r\n")) return FormErrc::part_malformed;
        const std::size_t end = body.find(delimiter);
        if (end == std::string_view::npos) return FormErrc::part_unfinished;
        const std::string_view part = body.substr(2, std::max<std::size_t>(end, 2) - 2);
        body.remove_prefix(end + delimiter.size());

        const std::size_t headers_end = part.find("\r\n\r\n");
        if (headers_end == std::string_view::npos) return FormErrc::part_malformed;
        std::optional<std::string> name = part_name(part.substr(0, headers_end));
        if (!name) return FormErrc::part_malformed;
        form.insert_or_assign(std::move(*name), std::string{part.substr(headers_end + 4)});
        if (form.size() > form_fields_max) return FormErrc::too_many_fields;
    }
    return form;
}

}  // namespace

const boost::system::error_category& form_category() noexcept
{
    static const FormCategory instance;
    return instance;
}

Result<Form> parse_form(std::string_view content_type, std::string_view body)
{
    const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
    if (type.empty() || equals_ignoring_case(type, "application/x-www-form-urlencoded")) {
        return parse_urlencoded(body);
    }
    if (equals_ignoring_case(type, "multipart/form-data")) {
        return parse_multipart(content_type, body);
    }
    return FormErrc::content_type_unsupported;
}

Result<std::string> percent_decode(std::string_view text)
{
    return decode(text, Plus::is_plus);
}

}  // namespace mysos::wire
