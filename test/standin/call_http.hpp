#pragma once

#include "common/wire/json.hpp"
#include "test/standin/http_connection.hpp"

#include <google/protobuf/message.h>

#include <map>
#include <optional>
#include <string>

namespace mysos::standin {

enum class Encoding { json, protobuf };

[[nodiscard]] const char* content_type(Encoding encoding);
[[nodiscard]] std::string encode(Encoding encoding, const google::protobuf::Message& message);

/// The header's value; none if it is absent.
[[nodiscard]] std::optional<std::string> header(
    const HttpRequest& request, const std::string& name);

/// Path without query, percent escapes resolved, no '/' at the end.
[[nodiscard]] std::string path_of(const HttpRequest& request);

/// Method, Content-Type and body, in a master's and an agent's order. Gives the refusal, if any.
[[nodiscard]] std::optional<HttpResponse> read_call(
    const HttpRequest& request, google::protobuf::Message& call);

/// What the response may be in; none means 406.
[[nodiscard]] std::optional<Encoding> accepted(const HttpRequest& request);

/// The principal of `Basic` credentials, if they are in the list (principal -> secret).
[[nodiscard]] std::optional<std::string> authenticate(
    const HttpRequest& request, const std::map<std::string, std::string>& credentials);

}  // namespace mysos::standin
