#include "common/io/log.hpp"
#include "executor/app.hpp"
#include "executor/in/server_probe.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

/// Effects, carried out: the switch without decisions.
namespace mysos::executor {
namespace {

struct Free {
    void operator()(char* text) const { std::free(text); }
};

/// Absolute and without symbolic links: an agent may have linked the volume into the sandbox, which
/// the server's user must not have to pass through.
Outcome<std::string> real_path(const std::string& path)
{
    const std::unique_ptr<char, Free> real{::realpath(path.c_str(), nullptr)};
    if (real) return std::string{real.get()};
    return Failure{
        InstallErrc::system_failed, path + ": " + std::generic_category().message(errno)};
}

void log_report(const Report& report)
{
    const auto logger = log::logger("member");
    switch (report.level) {
        case Report::Level::info: return logger->info("member: {}", report.text);
        case Report::Level::warning: return logger->warn("member: {}", report.text);
        case Report::Level::error: return logger->error("member: {}", report.text);
    }
}

}  // namespace

io::Awaitable<bool> App::perform(const Effect& effect)
{
    // Barriers first: they are awaited.
    if (const auto* claimed = std::get_if<ClaimVolume>(&effect)) {
        co_return co_await claim(claimed->identity);
    }
    if (const auto* saved = std::get_if<SaveEpoch>(&effect)) {
        co_await save(saved->record);
        co_return true;
    }
    if (const auto* token = std::get_if<SaveToken>(&effect)) {
        co_await save_token(token->token);
        co_return true;
    }
    co_return perform_now(effect);
}

bool App::perform_now(const Effect& effect)
{
    begin_operation();
    if (perform_operation(effect) || perform_rebuild(effect)) return true;
    if (const auto* update = std::get_if<SendUpdate>(&effect)) {
        agent_.send(update->update);
    } else if (std::holds_alternative<ConnectStream>(effect)) {
        control_.begin(loop_.state().task->data);
    } else if (const auto* token = std::get_if<UseToken>(&effect)) {
        control_.use_token(token->token);
    } else if (const auto* report = std::get_if<SendReport>(&effect)) {
        control_.send(report->message);
    } else if (std::holds_alternative<InspectVolume>(effect)) {
        inspect();
    } else if (std::holds_alternative<InstallServer>(effect)) {
        setup_.install();
    } else if (std::holds_alternative<InitialiseData>(effect)) {
        setup_.initialise();
    } else if (const auto* start = std::get_if<StartServer>(&effect)) {
        runs_.start(start->run, start->mode, setup_.programs());
    } else if (const auto* kill = std::get_if<KillServer>(&effect)) {
        runs_.kill(kill->run);
    } else if (const auto* stop = std::get_if<StopServer>(&effect)) {
        runs_.terminate(stop->run);
    } else if (const auto* probed = std::get_if<ProbeServer>(&effect)) {
        ProbeTarget target{
            runs_.probes(),
            loop_.state().task->data.cluster_uuid,
            runs_.member().volume,
            loop_.state().task->data.port,
            probed->receivers};
        tasks_.spawn(probe(offload_, probed->run, std::move(target), poster()));
    } else if (const auto* logged = std::get_if<Report>(&effect)) {
        log_report(*logged);
    } else if (const auto* ignored = std::get_if<Ignored>(&effect)) {
        log::logger("member")->debug("member: input ignored why={}", ignored->why);
    }
    static_assert(std::variant_size_v<Effect> == 32, "a new effect needs a branch");
    return true;
}

bool App::perform_operation(const Effect& effect)
{
    const auto start = [&](const auto* order) {
        if (order == nullptr) return false;
        operations_.start(*order);
        return true;
    };
    if (const auto* abandoned = std::get_if<AbandonOperation>(&effect)) {
        operations_.abandon(abandoned->op);
        rebuilds_.abandon(abandoned->op);
        return true;
    }
    if (std::holds_alternative<PushCommits>(effect)) {
        operations_.push();
        return true;
    }
    return start(std::get_if<StopReceiver>(&effect)) ||
           start(std::get_if<PromoteServer>(&effect)) ||
           start(std::get_if<MakeAccounts>(&effect)) ||
           start(std::get_if<FollowPrimary>(&effect)) || start(std::get_if<OpenServer>(&effect)) ||
           start(std::get_if<ChangeAcknowledgers>(&effect)) ||
           start(std::get_if<BarAccount>(&effect)) || start(std::get_if<ShutServer>(&effect));
}

bool App::perform_rebuild(const Effect& effect)
{
    const auto start = [&](const auto* order) {
        if (order == nullptr) return false;
        rebuilds_.use(setup_.programs(), runs_.orders());
        rebuilds_.start(*order);
        return true;
    };
    if (const auto* token = std::get_if<UsePeerToken>(&effect)) {
        rebuilds_.use_token(token->token);
        peers_.use_token(token->token);
        return true;
    }
    return start(std::get_if<SaveErrant>(&effect)) || start(std::get_if<ReplaceData>(&effect)) ||
           start(std::get_if<CloneData>(&effect)) || start(std::get_if<FinishRebuild>(&effect));
}

void App::begin_operation()
{
    operations_.use(runs_.orders());
}

void App::inspect()
{
    const wire::TaskData& data = loop_.state().task->data;
    const Outcome<std::string> sandbox = real_path(options_.sandbox);
    const Outcome<std::string> volume = real_path(options_.sandbox + "/data");
    if (sandbox.has_error() || volume.has_error()) {
        const Failure& why = sandbox.has_error() ? sandbox.error() : volume.error();
        return loop_.post(SetupFailed{"no volume: " + why.text});
    }
    auto lock = PathLock::of_volume(*volume);
    if (lock.has_error()) return loop_.post(SetupFailed{lock.error().text});
    lock_.emplace(std::move(*lock));
    const std::string log_path = *sandbox + "/server.log";
    files_.emplace(*volume);
    setup_.begin(data, *volume, *sandbox, log_path);
    runs_.begin({data, *volume, log_path, options_.defaults_file});
    operations_.begin(data);
    rebuilds_.begin({data, *volume, log_path});
    peers_.begin(data);
    setup_.inspect();
}

io::Awaitable<bool> App::claim(Identity identity)
{
    auto work = [files = *files_, identity = std::move(identity)] { return files.claim(identity); };
    const Outcome<void> claimed = co_await offload_.run(std::move(work));
    if (claimed.has_error()) loop_.post(SetupFailed{claimed.error().text});
    co_return claimed.has_value();
}

io::Awaitable<void> App::save(EpochRecord record)
{
    auto work = [files = *files_, record] { return files.save(record); };
    const Outcome<void> saved = co_await offload_.run(std::move(work));
    if (saved.has_error()) {
        loop_.post(EpochNotSaved{record, saved.error().text});
    } else {
        loop_.post(EpochSaved{record});
    }
}

io::Awaitable<void> App::save_token(std::string token)
{
    auto work = [files = *files_, token = std::move(token)] { return files.save_token(token); };
    const Outcome<void> saved = co_await offload_.run(std::move(work));
    if (saved.has_error()) {
        log::logger("member")->error("member: the token is not kept why={}", saved.error().text);
    }
}

}  // namespace mysos::executor
