#include "common/base/uuid.hpp"
#include "scheduler/secrets.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace mysos;
using namespace mysos::scheduler;

namespace {

const Secrets secrets{"cluster", "admin", std::string(32, 's')};

}  // namespace

TEST_CASE("secrets: what is sealed opens with the same key only", "[secrets]")
{
    const SecretBox box{std::string(32, 'k')};
    const std::string sealed = box.seal(secrets);
    CHECK(sealed != box.seal(secrets));
    CHECK(sealed.find("cluster") == std::string::npos);
    CHECK(box.open(sealed).value() == secrets);

    const SecretBox other{std::string(32, 'o')};
    CHECK(other.open(sealed).error() == SecretErrc::cannot_open);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string damaged = sealed;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        CHECK(box.open(damaged).error() == SecretErrc::cannot_open);
        CHECK(box.open(sealed.substr(0, i)).error() == SecretErrc::cannot_open);
    }
}

TEST_CASE("secrets: a sealed seed of the wrong size is damage", "[secrets]")
{
    const SecretBox box{std::string(32, 'k')};
    const Secrets broken{"cluster", "admin", "short"};
    CHECK(box.open(box.seal(broken)).error() == SecretErrc::cannot_open);
}

TEST_CASE("secrets: derived ones depend on seed, purpose and name", "[secrets]")
{
    // HMAC-SHA-256 of 32 times 's', computed with openssl dgst -sha256 -mac HMAC.
    CHECK(
        launch_token(secrets, "t1") ==
        "e723b0494cc0615669451fa1c254743000db867d5a5dbaa8fc85a6892421bfd2");
    CHECK(launch_token(secrets, "t1").size() == 64);
    CHECK(launch_token(secrets, "t1") != member_token(secrets, "t1"));
    CHECK(launch_token(secrets, "t1") != launch_token(secrets, "t2"));
    const Secrets other{"cluster", "admin", std::string(32, 'x')};
    CHECK(launch_token(secrets, "t1") != launch_token(other, "t1"));
    CHECK(account_password(secrets, "repl_1").size() == 32);
    CHECK(account_password(secrets, "repl_1") != account_password(secrets, "repl_2"));
}

TEST_CASE("secrets: what is drawn has its form and is drawn anew each time", "[secrets]")
{
    const std::string password = draw_password();
    CHECK(password.size() == 21);
    CHECK(
        password.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
    CHECK(password != draw_password());
    CHECK(draw_key().size() == 32);
    CHECK(draw_seed().size() == 32);
    CHECK(draw_seed() != draw_seed());
    const std::string uuid = draw_uuid();
    CHECK(parse_uuid(uuid).has_value());
    CHECK(uuid[14] == '4');
    CHECK(uuid.size() == 36);
}

TEST_CASE("secrets: comparison tells equal from unequal", "[secrets]")
{
    CHECK(equal_secrets("abc", "abc"));
    CHECK(equal_secrets("", ""));
    CHECK_FALSE(equal_secrets("abc", "abd"));
    CHECK_FALSE(equal_secrets("abc", "ab"));
}
