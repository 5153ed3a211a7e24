#include "executor/install/download.hpp"
#include "executor/install/installer.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <openssl/evp.h>

namespace mysos::executor {

Outcome<std::string> sha256_of(const std::string& file)
{
    std::ifstream input{file, std::ios::binary};
    if (!input) return Failure{InstallErrc::download_failed, "cannot read " + file};
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{
        EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::array<char, 65536> chunk{};
    while (input) {
        input.read(chunk.data(), chunk.size());
        EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(input.gcount()));
    }
    if (!input.eof()) return Failure{InstallErrc::download_failed, "cannot read " + file};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &size);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4U];
        text += digits[digest[i] & 15U];
    }
    return text;
}

}  // namespace mysos::executor
