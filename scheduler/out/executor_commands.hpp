#pragma once

#include "common/control/messages.hpp"
#include "scheduler/options.hpp"
#include "scheduler/secrets.hpp"

#include <optional>
#include <string>

namespace mysos::scheduler {

/// Puts what no decision sees into orders: names and passwords of accounts, the token that a
/// member uses from now on, and the one that its peers share. Pure.
///
/// An administrator given by --admin_keypath takes the place of the generated one, name and
/// password.
struct Dispenser {
    std::optional<Credentials> admin;

    [[nodiscard]] control::Welcome fill(
        control::Welcome welcome, const Secrets& secrets, const std::string& task_id) const;
    [[nodiscard]] control::ToMember fill(control::ToMember order, const Secrets& secrets) const;

  private:
    [[nodiscard]] control::Account admin_account(const Secrets& secrets) const;
    void fill(control::AccountSpec& spec, const Secrets& secrets) const;
};

}  // namespace mysos::scheduler
