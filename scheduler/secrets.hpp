#pragma once

#include "common/base/result.hpp"

#include <boost/system/error_category.hpp>

#include <string>
#include <string_view>
#include <type_traits>

/// What a cluster keeps secret, how it rests in the state, and what is derived from it instead of
/// being stored: tokens and passwords of accounts that people do not use.
namespace mysos::scheduler {

struct Secrets {
    std::string cluster_password;
    std::string admin_password;
    std::string seed;  ///< 32 random bytes; everything derived hangs on it.
    friend bool operator==(const Secrets&, const Secrets&) = default;
};

enum class SecretErrc {
    /// Not sealed with this key, or damaged. The caller must not go on with that state: a person
    /// gave the wrong --scheduler_keypath.
    cannot_open = 1,
};
[[nodiscard]] const boost::system::error_category& secret_category() noexcept;
[[nodiscard]] inline ErrorCode make_error_code(SecretErrc e) noexcept
{
    return {static_cast<int>(e), secret_category()};
}

/// Seals and opens under one key.
///
/// Shape:  nonce (24 bytes), then crypto_secretbox of a mysos.state.Secrets message. Sealing the
///         same twice gives different bytes.
/// Errors: cannot_open.
class SecretBox {
  public:
    /// `key` has 32 bytes.
    explicit SecretBox(std::string key);
    SecretBox(const SecretBox&) = delete;
    SecretBox& operator=(const SecretBox&) = delete;
    ~SecretBox();  ///< Forgets the key.

    [[nodiscard]] std::string seal(const Secrets& secrets) const;
    [[nodiscard]] Result<Secrets> open(std::string_view sealed) const;

  private:
    std::string key_;
};

// Drawn at random. 21 letters and digits hold 125 bits.
[[nodiscard]] std::string draw_password();
[[nodiscard]] std::string draw_seed();
[[nodiscard]] std::string draw_key();
[[nodiscard]] std::string draw_uuid();  ///< Version 4, lower case.

// Derived: HMAC-SHA-256 under the cluster's seed, in hexadecimal digits.
[[nodiscard]] std::string launch_token(const Secrets& secrets, std::string_view task_id);
[[nodiscard]] std::string member_token(const Secrets& secrets, std::string_view task_id);
[[nodiscard]] std::string peer_token(const Secrets& secrets, std::string_view cluster_uuid);
/// 32 digits: the longest password that a replication source of MySQL takes.
[[nodiscard]] std::string account_password(const Secrets& secrets, std::string_view user);

/// In a time that does not depend on where they differ.
[[nodiscard]] bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace mysos::scheduler

template <>
struct boost::system::is_error_code_enum<mysos::scheduler::SecretErrc> : std::true_type {};
