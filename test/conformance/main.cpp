#include "common/base/version.hpp"
#include "test/conformance/suite.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <pwd.h>
#include <set>
#include <unistd.h>

namespace {

using namespace mysos::conformance;

std::string user_name()
{
    const passwd* entry = ::getpwuid(::geteuid());
    return entry == nullptr ? "root" : entry->pw_name;
}

Address parse_address(const std::string& text)
{
    const std::size_t colon = text.rfind(':');
    const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
        throw CLI::ValidationError("'" + text + "' is not host:port");
    }
    return {text.substr(0, colon), static_cast<std::uint16_t>(std::stoul(digits))};
}

/// Why the check is not made now; empty when it is.
std::string why_skipped(const Check& check, const Options& options)
{
    switch (check.needs) {
        case Needs::nothing: return {};
        case Needs::credentials: return options.principal.empty() ? "needs --principal" : "";
        case Needs::no_credentials: return options.principal.empty() ? "" : "needs an open master";
        case Needs::follower: return options.follower ? "" : "needs --follower";
        case Needs::slow: return options.slow ? "" : "needs --slow";
        case Needs::standin: return options.standin ? "" : "needs --standin";
        case Needs::destructive: return options.destructive ? "" : "needs --destructive";
    }
    return {};
}

struct Tally {
    int passed = 0;
    int failed = 0;
    int skipped = 0;
};

void run(const Check& check, const Options& options, Tally& tally)
{
    const std::string skipped = why_skipped(check, options);
    std::string outcome = "ok     ";
    std::string remark;
    if (!skipped.empty()) {
        ++tally.skipped;
        outcome = "skipped";
        remark = "  (" + skipped + ")";
    } else {
        try {
            check.run(options);
            ++tally.passed;
        } catch (const Failed& problem) {
            ++tally.failed;
            outcome = "FAILED ";
            remark = std::string{"\n            "} + problem.what();
        } catch (const nlohmann::json::exception& problem) {
            ++tally.failed;
            outcome = "FAILED ";
            remark = std::string{"\n            not the expected shape: "} + problem.what();
        }
    }
    std::printf(
        "%s %3d  %s%s\n", outcome.c_str(), check.number, check.name.c_str(), remark.c_str());
    std::fflush(stdout);
}

std::vector<Check> all_checks()
{
    std::vector<Check> checks;
    add_http_checks(checks);
    add_authentication_checks(checks);
    add_subscribe_checks(checks);
    add_offer_checks(checks);
    add_accept_checks(checks);
    add_volume_checks(checks);
    add_call_checks(checks);
    add_executor_checks(checks);
    add_fault_checks(checks);
    add_json_checks(checks);
    std::ranges::stable_sort(checks, {}, &Check::number);
    return checks;
}

std::string first_line(const std::string& path)
{
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace

int main(int argc, char** argv)
{
    CLI::App app{
        "Checks that a Mesos master and its agents behave as the list of behaviours says\n"
        "(test/conformance/README.md). Talks HTTP only; needs an agent with free 0.5 cpus, 256 "
        "MB,\n"
        "512 MB of disk and some ports, and leaves nothing reserved. Exit: 0 all passed, 1 not."};
    Options options;
    options.user = user_name();
    std::string master;
    std::string follower;
    std::vector<int> only;
    bool list = false;
    app.add_option("--master", master, "host:port of the leading master");
    app.add_option("--follower", follower, "host:port of a master that does not lead");
    app.add_option("--principal", options.principal, "authenticate as this principal");
    app.add_option("--secret_file", options.secret, "file with the principal's secret")
        ->check(CLI::ExistingFile);
    app.add_option("--role", options.role, "role to subscribe with")->capture_default_str();
    app.add_option("--user", options.user, "user that tasks run as")->capture_default_str();
    app.add_option("--listen_host", options.listen_host, "address where agents reach this machine")
        ->capture_default_str();
    app.add_option("--only", only, "numbers of the checks to make, such as 24,33")->delimiter(',');
    app.add_flag("--list", list, "print the checks and end");
    app.add_flag("--standin", options.standin, "use the stand-in's fault switches");
    app.add_flag("--slow", options.slow, "make checks of over 20 s too");
    app.add_flag(
        "--destructive", options.destructive, "make checks that abort a real master or agent");
    app.add_flag("--verbose", options.verbose, "print the events that come");
    app.set_version_flag("--version", std::string{"mesos-conformance "} + mysos::version_text);
    try {
        app.parse(argc, argv);
        if (!list && master.empty()) throw CLI::RequiredError("--master");
        if (!master.empty()) options.master = parse_address(master);
        if (!follower.empty()) options.follower = parse_address(follower);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    if (!options.secret.empty()) options.secret = first_line(options.secret);

    const std::set<int> wanted{only.begin(), only.end()};
    Tally tally;
    for (const Check& check : all_checks()) {
        if (!wanted.empty() && !wanted.contains(check.number)) continue;
        if (list) {
            std::printf("%3d  %s\n", check.number, check.name.c_str());
        } else {
            run(check, options, tally);
        }
    }
    if (list) return 0;
    try {
        if (options.principal.empty()) clean_role(options);
    } catch (const Failed& problem) {
        std::printf("cleaning up failed: %s\n", problem.what());
        ++tally.failed;
    }
    std::printf("%d passed, %d failed, %d skipped\n", tally.passed, tally.failed, tally.skipped);
    return tally.failed == 0 ? 0 : 1;
}
