#include "scheduler/out/executor_commands.hpp"

#include <utility>
#include <variant>

namespace mysos::scheduler {

control::Account Dispenser::admin_account(const Secrets& secrets) const
{
    if (admin) return {admin->name, admin->secret};
    return {"mysos_admin", secrets.admin_password};
}

void Dispenser::fill(control::AccountSpec& spec, const Secrets& secrets) const
{
    using Kind = control::AccountSpec::Kind;
    switch (spec.kind) {
        case Kind::admin: spec.account = admin_account(secrets); return;
        case Kind::application: spec.account.password = secrets.cluster_password; return;
        case Kind::monitor:
        case Kind::clone:
        case Kind::replication:
            spec.account.password = account_password(secrets, spec.account.user);
            return;
    }
}

control::Welcome Dispenser::fill(
    control::Welcome welcome, const Secrets& secrets, const std::string& task_id) const
{
    welcome.token = member_token(secrets, task_id);
    welcome.admin = admin_account(secrets);
    welcome.peer_token = peer_token(secrets, welcome.cluster_uuid);
    return welcome;
}

control::ToMember Dispenser::fill(control::ToMember order, const Secrets& secrets) const
{
    if (auto* promote = std::get_if<control::Promote>(&order)) {
        for (control::AccountSpec& spec : promote->accounts) fill(spec, secrets);
    } else if (auto* acknowledgers = std::get_if<control::SetAcknowledgers>(&order)) {
        for (control::AccountSpec& spec : acknowledgers->accounts) fill(spec, secrets);
    } else if (auto* follow = std::get_if<control::Follow>(&order)) {
        follow->account.password = account_password(secrets, follow->account.user);
    } else if (auto* rebuild = std::get_if<control::Rebuild>(&order)) {
        rebuild->account.password = account_password(secrets, rebuild->account.user);
    }
    return order;
}

}  // namespace mysos::scheduler
