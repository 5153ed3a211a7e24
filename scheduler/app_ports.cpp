#include "common/io/log.hpp"
#include "common/wire/state.hpp"
#include "scheduler/app.hpp"
#include "scheduler/out/mesos_calls.hpp"

#include <utility>

// What decisions do to the world: each effect goes to the one that carries it out.
namespace mysos::scheduler {

void App::post(Input input)
{
    if (loop_) loop_->post(std::move(input));
}

const State& App::state() const
{
    static const State nothing_known;
    return loop_ ? loop_->state() : nothing_known;
}

std::optional<Secrets> App::secrets_of(const std::string& cluster) const
{
    const auto found = state().clusters.find(cluster);
    if (found == state().clusters.end()) return std::nullopt;
    const Result<Secrets> secrets = box_.open(found->second.record.sealed_secrets);
    if (!secrets) return std::nullopt;
    return *secrets;
}

io::Awaitable<ErrorCode> App::save(SaveFramework effect)
{
    co_return co_await written(framework_key, wire::encode_framework(effect.record));
}

io::Awaitable<ErrorCode> App::save(SaveCluster effect)
{
    std::string key = cluster_key(effect.record.name);
    co_return co_await written(std::move(key), wire::encode_cluster(effect.record));
}

io::Awaitable<ErrorCode> App::written(std::string key, std::string bytes)
{
    const ErrorCode ec = co_await store_->save(key, std::move(bytes));
    if (ec) why_ = "cannot save " + store_->place(key) + ": " + ec.message();
    co_return ec;
}

io::Awaitable<ErrorCode> App::save(RemoveCluster effect)
{
    const std::string key = cluster_key(effect.name);
    const ErrorCode ec = co_await store_->remove(key);
    if (ec) why_ = "cannot remove " + store_->place(key) + ": " + ec.message();
    co_return ec;
}

void App::start(const SendCall& effect)
{
    mesos_->call(effect.call, state().framework.framework_id);
}

void App::start(const AcceptOffer& effect)
{
    const std::optional<Secrets> secrets = secrets_of(effect.data.cluster);
    if (!secrets) return;
    const mesos::Accept accept =
        with_task_data(effect, *secrets, options_.zk, options_.installer_args);
    mesos_->call(accept, state().framework.framework_id);
}

void App::start(const AcceptStream& effect)
{
    const std::optional<Secrets> secrets = secrets_of(effect.cluster);
    if (!secrets) return;
    const cluster::AcceptStream& stream = effect.stream;
    const std::string& task_id = stream.task_id.text;
    log::logger("streams")->info("member connected cluster={} task={}", effect.cluster, task_id);
    streams_.accept(stream.stream, dispenser_.fill(stream.welcome, *secrets, task_id));
}

void App::start(const RefuseStream& effect)
{
    streams_.refuse(effect.stream);
}

void App::start(const CloseStream& effect)
{
    streams_.close(effect.stream);
}

void App::start(const SendOrder& effect)
{
    const std::optional<Secrets> secrets = secrets_of(effect.cluster);
    if (!secrets) return;
    streams_.send(effect.order.stream, dispenser_.fill(effect.order.order, *secrets));
}

void App::start(const ReadTree& effect)
{
    publisher_->start(effect);
}

void App::start(const ApplyTree& effect)
{
    publisher_->start(effect);
}

void App::start(const Reply& effect)
{
    rest_.answer(effect);
}

void App::report(const Report& effect)
{
    const cluster::Report& report = effect.report;
    const auto logger = log::logger(effect.cluster.empty() ? "scheduler" : "cluster");
    using Level = cluster::Report::Level;
    const spdlog::level::level_enum level = report.level == Level::error     ? spdlog::level::err
                                            : report.level == Level::warning ? spdlog::level::warn
                                                                             : spdlog::level::info;
    if (effect.cluster.empty()) {
        logger->log(level, "{}", report.text);
    } else if (report.member == MemberId{}) {
        logger->log(level, "{} cluster={}", report.text, effect.cluster);
    } else {
        logger->log(
            level, "{} cluster={} member={}", report.text, effect.cluster, number(report.member));
    }
}

void App::report(const Ignored& effect)
{
    log::logger("decide")->debug("ignored cluster={} why={}", effect.cluster, effect.why);
}

void App::report(const Stop& effect)
{
    why_ = effect.why;
}

}  // namespace mysos::scheduler
