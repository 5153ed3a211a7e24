#pragma once

#include "common/cluster/stepping.hpp"

#include <string>
#include <vector>

/// How the orders of the machines become messages to members. For lead.cpp alone.
namespace mysos::cluster {

/// Without a stream there is nobody to tell; the machines repeat what matters.
void order(Stepping& step, MemberId id, control::ToMember message);

/// With the source's address, the member's account, and what the source surely holds.
void follow(Stepping& step, const electorate::SendFollow& effect);

/// With what the donor's server and executor are reached at, and what the primary surely holds.
void rebuild(Stepping& step, const electorate::SendRebuild& effect);

[[nodiscard]] control::AccountSpec account(control::AccountSpec::Kind kind, std::string user);

/// All that a primary has to have; the operator's name is the shell's to fill in. Once there is
/// data to lose, only members of E: the account of one that left stays locked where it was locked,
/// as it may still acknowledge. The others' are made when they have said that they do not.
[[nodiscard]] std::vector<control::AccountSpec> accounts(const Record& record);

}  // namespace mysos::cluster
