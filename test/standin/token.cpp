#include "test/standin/token.hpp"

#include <nlohmann/json.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <vector>

namespace mysos::standin {

namespace {

std::string base64url(std::string_view bytes)
{
    std::vector<unsigned char> out(bytes.size() * 4 / 3 + 8);
    const int length = EVP_EncodeBlock(
        out.data(),
        reinterpret_cast<const unsigned char*>(bytes.data()),
        static_cast<int>(bytes.size()));
    std::string text{out.begin(), out.begin() + length};
    while (text.ends_with('=')) text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

std::optional<std::string> from_base64url(std::string text)
{
    for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
    std::size_t padding = 0;
    while (text.size() % 4 != 0) {
        text += '=';
        ++padding;
    }
    std::vector<unsigned char> out(text.size());
    const int length = EVP_DecodeBlock(
        out.data(),
        reinterpret_cast<const unsigned char*>(text.data()),
        static_cast<int>(text.size()));
    if (length < 0 || static_cast<std::size_t>(length) < padding) return {};
    return std::string{out.begin(), out.begin() + length - static_cast<long>(padding)};
}

std::string signature(std::string_view text, const std::string& key)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        mac,
        &size);
    return base64url({reinterpret_cast<const char*>(mac), size});
}

}  // namespace

std::string sign_token(const ExecutorClaims& claims, const std::string& key)
{
    const nlohmann::json payload{
        {"fid", claims.framework}, {"eid", claims.executor}, {"cid", claims.container}};
    const std::string text =
        base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(payload.dump());
    return text + "." + signature(text, key);
}

std::optional<ExecutorClaims> verify_token(std::string_view token, const std::string& key)
{
    const auto last = token.rfind('.');
    const auto first = token.find('.');
    if (last == std::string_view::npos || first == last) return {};
    const std::string expected = signature(token.substr(0, last), key);
    const std::string_view given = token.substr(last + 1);
    if (given.size() != expected.size() ||
        CRYPTO_memcmp(given.data(), expected.data(), expected.size()) != 0)
        return {};
    const auto payload = from_base64url(std::string{token.substr(first + 1, last - first - 1)});
    const auto claims = nlohmann::json::parse(payload.value_or(""), nullptr, false);
    if (!claims.is_object()) return {};
    return ExecutorClaims{
        claims.value("fid", ""), claims.value("eid", ""), claims.value("cid", "")};
}

}  // namespace mysos::standin
