#include "executor/control/sql_control.hpp"

// Who may log in to a server, and above all replicate from it.
namespace mysos::executor {
namespace {

/// A pause on the server's side: it ends early when the server does.
Outcome<void> pause(Dialog& dialog)
{
    return dialog.tell(mysql::Statement{"DO SLEEP(0.02)", "DO SLEEP(0.02)"});
}

}  // namespace

Outcome<void> SqlControl::make_accounts(
    const std::vector<control::AccountSpec>& accounts, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    for (const control::AccountSpec& account : accounts) {
        const auto made = dialog.value().ask(mysql::account_made(flavor_, account));
        if (made.has_error()) return made.error();
        if (made.value().scalar() != "1")
            if (auto done = dialog.value().tell(mysql::make_account(flavor_, account));
                done.has_error())
                return done;
        const std::string& user = account.account.user;
        const auto locked = dialog.value().ask(mysql::account_locked(flavor_, user));
        if (locked.has_error()) return locked.error();
        if (locked.value().scalar() != "0")
            if (auto done = dialog.value().tell(mysql::unlock_account(user)); done.has_error())
                return done;
    }
    return {};
}

Outcome<void> SqlControl::lock_account(const std::string& user, Deadline deadline)
{
    auto dialog = Dialog::open(target_, deadline);
    if (dialog.has_error()) return dialog.error();
    return lock(dialog.value(), user);
}

Outcome<void> SqlControl::lock(Dialog& dialog, const std::string& user)
{
    if (auto done = dialog.tell(mysql::lock_account(user)); done.has_error()) return done;
    for (;;) {
        const auto sessions = dialog.ask("SHOW FULL PROCESSLIST");
        if (sessions.has_error()) return sessions.error();
        bool any = false;
        for (std::size_t row = 0; row < sessions.value().rows.size(); ++row) {
            if (sessions.value().field("User", row) != user) continue;
            any = true;
            // Its receiver, or a connection that is about to become one. It may have ended by
            // itself.
            const std::string id = sessions.value().field("Id", row).value_or("0");
            static_cast<void>(dialog.ask("KILL " + id));
        }
        if (!any) return {};
        if (dialog.expired())
            return Failure{ControlErrc::server_silent, "connections of " + user + " do not end"};
        if (auto done = pause(dialog); done.has_error()) return done;
    }
}

/// Whoever followed this server in an earlier epoch may come back to it by himself, and acknowledge
/// though he is not of the electorate any more.
Outcome<void> SqlControl::let_in_only(Dialog& dialog, const std::set<std::string>& replicas)
{
    const auto accounts = dialog.ask(mysql::replication_accounts());
    if (accounts.has_error()) return accounts.error();
    for (const auto& row : accounts.value().rows) {
        const std::string user = row.front().value_or("");
        if (replicas.contains(user)) continue;
        if (auto done = lock(dialog, user); done.has_error()) return done;
    }
    return {};
}

}  // namespace mysos::executor
