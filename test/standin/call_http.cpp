#include "test/standin/call_http.hpp"

#include "common/wire/base64.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <zlib.h>

namespace mysos::standin {

namespace {

namespace http = boost::beast::http;

std::vector<std::string> split(const std::string& text, char at)
{
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string trimmed(const std::string& text)
{
    const auto begin = text.find_first_not_of(" \t");
    return begin == std::string::npos
               ? ""
               : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<std::string> gunzip(const std::string& bytes)
{
    z_stream stream;
    std::memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return {};
    std::string copy = bytes;
    stream.next_in = reinterpret_cast<Bytef*>(copy.data());
    stream.avail_in = static_cast<uInt>(copy.size());
    std::string out;
    int state = Z_OK;
    while (state == Z_OK) {
        char part[16384];
        stream.next_out = reinterpret_cast<Bytef*>(part);
        stream.avail_out = sizeof part;
        state = inflate(&stream, Z_NO_FLUSH);
        out.append(part, sizeof part - stream.avail_out);
        if (state == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) break;
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END) return {};
    return out;
}

/// Whether the range allows the type, by its most specific entry; q=0 forbids, others are ignored.
bool allows(const std::string& ranges, const std::string& type)
{
    const std::string family = type.substr(0, type.find('/')) + "/*";
    std::map<std::string, bool> entries;
    for (const auto& entry : split(ranges, ',')) {
        const auto parts = split(entry, ';');
        bool wanted = true;
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const std::string parameter = trimmed(parts[i]);
            if (parameter.starts_with("q="))
                wanted = std::strtod(parameter.c_str() + 2, nullptr) > 0;
        }
        entries[trimmed(parts[0])] = wanted;
    }
    for (const auto& name : {type, family, std::string{"*/*"}})
        if (const auto found = entries.find(name); found != entries.end()) return found->second;
    return false;
}

}  // namespace

const char* content_type(Encoding encoding)
{
    return encoding == Encoding::json ? "application/json" : "application/x-protobuf";
}

std::string encode(Encoding encoding, const google::protobuf::Message& message)
{
    return encoding == Encoding::json ? wire::to_json(message) : message.SerializeAsString();
}

std::optional<std::string> header(const HttpRequest& request, const std::string& name)
{
    const auto found = request.find(name);
    if (found == request.end()) return {};
    return std::string{found->value()};
}

std::string path_of(const HttpRequest& request)
{
    const std::string target{request.target()};
    std::string path;
    for (std::size_t i = 0; i < target.size() && target[i] != '?'; ++i) {
        if (target[i] == '%' && i + 2 < target.size()) {
            path += static_cast<char>(std::strtoul(target.substr(i + 1, 2).c_str(), nullptr, 16));
            i += 2;
        } else {
            path += target[i];
        }
    }
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

std::optional<HttpResponse> read_call(const HttpRequest& request, google::protobuf::Message& call)
{
    if (request.method() != http::verb::post)
        return text_response(
            405,
            "Expecting one of { 'POST' }, but received '" + std::string{request.method_string()} +
                "'",
            {{"Allow", "POST"}});
    const auto type = header(request, "Content-Type");
    if (!type) return text_response(400, "Expecting 'Content-Type' to be present");
    std::string body = request.body();
    if (header(request, "Content-Encoding") == "gzip") {
        auto plain = gunzip(body);
        if (!plain) return text_response(400, "Failed to decompress the body");
        body = std::move(*plain);
    }
    if (*type == content_type(Encoding::protobuf)) {
        if (call.ParseFromString(body)) return {};
        return text_response(400, "Failed to parse body into Call protobuf");
    }
    if (*type == content_type(Encoding::json)) {
        std::string why;
        if (!wire::parse_json(body, call, &why)) return {};
        return text_response(400, "Failed to convert JSON into Call protobuf: " + why);
    }
    return text_response(
        415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
}

std::optional<Encoding> accepted(const HttpRequest& request)
{
    const auto ranges = header(request, "Accept");
    if (!ranges || allows(*ranges, "application/json")) return Encoding::json;
    if (allows(*ranges, "application/x-protobuf")) return Encoding::protobuf;
    return {};
}

std::optional<std::string> authenticate(
    const HttpRequest& request, const std::map<std::string, std::string>& credentials)
{
    const auto parts = split(header(request, "Authorization").value_or(""), ' ');
    if (parts.size() != 2 || parts[0] != "Basic") return {};
    const auto text = wire::decode_base64(parts[1]);
    if (!text) return {};
    // Exactly one colon: a secret that holds one never matches.
    const auto pair = split(*text, ':');
    if (pair.size() != 2) return {};
    const auto known = credentials.find(pair[0]);
    if (known == credentials.end() || known->second != pair[1]) return {};
    return pair[0];
}

}  // namespace mysos::standin
