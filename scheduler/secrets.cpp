#include "scheduler/secrets.hpp"

#include "common/base/expects.hpp"
#include "common/base/uuid.hpp"
#include "common/wire/protobuf.hpp"
#include "mysos/state.pb.h"

#include <array>
#include <sodium.h>
#include <utility>

namespace mysos::scheduler {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "secret"; }

    [[nodiscard]] std::string message(int value) const override
    {
        if (static_cast<SecretErrc>(value) == SecretErrc::cannot_open) {
            return "sealed with another key, or damaged";
        }
        return "unknown secret error " + std::to_string(value);
    }
};

/// Safe to be called often.
void initialise()
{
    expects(::sodium_init() >= 0);
}

unsigned char* bytes(std::string& text)
{
    return reinterpret_cast<unsigned char*>(text.data());
}

const unsigned char* bytes(std::string_view text)
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::string draw(std::size_t size)
{
    initialise();
    std::string drawn(size, '\0');
    ::randombytes_buf(drawn.data(), drawn.size());
    return drawn;
}

std::string derive(const Secrets& secrets, std::string_view purpose, std::string_view name)
{
    expects(secrets.seed.size() == crypto_auth_hmacsha256_KEYBYTES);
    const std::string message = std::string{purpose} + std::string{name};
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
    ::crypto_auth_hmacsha256(mac.data(), bytes(message), message.size(), bytes(secrets.seed));
    std::string hex(mac.size() * 2 + 1, '\0');
    ::sodium_bin2hex(hex.data(), hex.size(), mac.data(), mac.size());
    hex.pop_back();
    return hex;
}

}  // namespace

const boost::system::error_category& secret_category() noexcept
{
    static const Category instance;
    return instance;
}

SecretBox::SecretBox(std::string key) : key_{std::move(key)}
{
    initialise();
    expects(key_.size() == crypto_secretbox_KEYBYTES);
}

SecretBox::~SecretBox()
{
    ::sodium_memzero(key_.data(), key_.size());
}

std::string SecretBox::seal(const Secrets& secrets) const
{
    state::Secrets message;
    message.set_cluster_password(secrets.cluster_password);
    message.set_admin_password(secrets.admin_password);
    message.set_seed(secrets.seed);
    std::string plain = wire::serialize_protobuf(message);

    std::string sealed = draw(crypto_secretbox_NONCEBYTES);
    const std::string nonce = sealed;
    sealed.resize(nonce.size() + crypto_secretbox_MACBYTES + plain.size());
    ::crypto_secretbox_easy(
        bytes(sealed) + nonce.size(), bytes(plain), plain.size(), bytes(nonce), bytes(key_));
    ::sodium_memzero(plain.data(), plain.size());
    return sealed;
}

Result<Secrets> SecretBox::open(std::string_view sealed) const
{
    constexpr std::size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.size() < overhead) return SecretErrc::cannot_open;
    const std::string_view nonce = sealed.substr(0, crypto_secretbox_NONCEBYTES);
    sealed.remove_prefix(nonce.size());
    std::string plain(sealed.size() - crypto_secretbox_MACBYTES, '\0');
    const int failed = ::crypto_secretbox_open_easy(
        bytes(plain), bytes(sealed), sealed.size(), bytes(nonce), bytes(key_));
    if (failed != 0) return SecretErrc::cannot_open;
    const Result<state::Secrets> message = wire::parse_protobuf<state::Secrets>(plain);
    ::sodium_memzero(plain.data(), plain.size());
    if (!message || message->seed().size() != crypto_auth_hmacsha256_KEYBYTES) {
        return SecretErrc::cannot_open;
    }
    return Secrets{message->cluster_password(), message->admin_password(), message->seed()};
}

std::string draw_password()
{
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t size = 21;
    initialise();
    std::string password;
    while (password.size() < size) {
        password.push_back(alphabet[::randombytes_uniform(alphabet.size())]);
    }
    return password;
}

std::string draw_seed()
{
    return draw(crypto_auth_hmacsha256_KEYBYTES);
}

std::string draw_key()
{
    return draw(crypto_secretbox_KEYBYTES);
}

std::string draw_uuid()
{
    initialise();
    Uuid uuid;
    ::randombytes_buf(uuid.bytes.data(), uuid.bytes.size());
    uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0fU) | 0x40U);
    uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3fU) | 0x80U);
    return to_text(uuid);
}

std::string launch_token(const Secrets& secrets, std::string_view task_id)
{
    return derive(secrets, "launch:", task_id);
}

std::string member_token(const Secrets& secrets, std::string_view task_id)
{
    return derive(secrets, "member:", task_id);
}

std::string peer_token(const Secrets& secrets, std::string_view cluster_uuid)
{
    return derive(secrets, "peer:", cluster_uuid);
}

std::string account_password(const Secrets& secrets, std::string_view user)
{
    constexpr std::size_t password_size = 32;
    return derive(secrets, "account:", user).substr(0, password_size);
}

bool equal_secrets(std::string_view a, std::string_view b)
{
    // The length is no secret: every token has the same, and a password's says little.
    return a.size() == b.size() && ::sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mysos::scheduler
