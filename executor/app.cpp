#include "executor/app.hpp"

#include "common/base/version.hpp"
#include "common/io/log.hpp"

#include <csignal>
#include <utility>

namespace mysos::executor {
namespace {

Config config_of(const Options& options)
{
    Config config;
    config.checkpoint = options.checkpoint;
    config.shutdown_grace = options.shutdown_grace;
    return config;
}

/// One probe, one order, one installation, one file, one look at what a copy has come to, and one
/// answer to a peer at a time; none waits for another.
constexpr std::size_t threads = 7;

}  // namespace

App::App(boost::asio::any_io_executor executor, Options options)
    : options_{std::move(options)},
      offload_{threads},
      tasks_{executor},
      loop_{
          executor, config_of(options_), [this](const Effect& effect) { return perform(effect); }},
      agent_{
          executor, options_, tasks_, [this]() -> const State& { return loop_.state(); }, poster()},
      control_{executor, tasks_, [this] { return hello(); }, poster()},
      setup_{executor, offload_, tasks_, poster()},
      runs_{executor, tasks_, poster()},
      operations_{offload_, tasks_, poster()},
      rebuilds_{executor, offload_, tasks_, options_.rebuild_mb_per_second, poster()},
      peers_{
          executor,
          offload_,
          tasks_,
          options_.rebuild_mb_per_second,
          [this] { return donation(); }},
      signals_{executor, SIGTERM, SIGINT}
{}

Post App::poster()
{
    return [this](Input input) { loop_.post(std::move(input)); };
}

control::Hello App::hello() const
{
    const State& state = loop_.state();
    control::Hello hello;
    hello.task_id = state.task->id.text;
    hello.cluster = state.task->data.cluster;
    hello.member = MemberId{state.task->data.server_id};
    hello.executor_version = version_text;
    hello.observation = observation(state);
    return hello;
}

/// A server that answers and has a part in an epoch. One that has none may hold what nobody else
/// does.
std::optional<Donation> App::donation() const
{
    const State& state = loop_.state();
    const auto* replica = std::get_if<Replica>(&state.phase);
    const auto* primary = std::get_if<Primary>(&state.phase);
    const bool leads = primary != nullptr && primary->promoted;
    if (!state.server.answers || (replica == nullptr && !leads)) return std::nullopt;
    const ServerRuns::Member& member = runs_.member();
    return Donation{
        runs_.donors(),
        replica != nullptr ? replica->follow.epoch : primary->epoch,
        setup_.programs(),
        directories_on(member.volume),
        runs_.view().mount,
        runs_.view().directories,
        member.log_path};
}

void App::await_signal()
{
    signals_.async_wait([this](const ErrorCode& ec, int number) {
        if (ec) return;
        log::logger("executor")->info("executor: asked to stop signal={}", number);
        signals_.clear();  // The default action is back.
        loop_.post(ShutdownOrdered{"the executor got signal " + std::to_string(number)});
    });
}

io::Awaitable<void> App::run()
{
    log::logger("executor")
        ->info(
            "executor: started version={} executor={} checkpoint={}",
            version_text,
            options_.executor_id,
            options_.checkpoint);
    await_signal();
    tasks_.spawn(agent_.run());
    co_await loop_.run();
    log::logger("executor")->info("executor: ends");
}

}  // namespace mysos::executor
