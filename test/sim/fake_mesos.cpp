#include "test/sim/fake_mesos.hpp"

#include "common/base/expects.hpp"
#include "common/base/overload.hpp"

#include <algorithm>
#include <utility>

namespace mysos::sim {
namespace {

constexpr const char* framework_id = "framework-0000";

mesos::Resource without_volume(mesos::Resource volume)
{
    volume.persistence.reset();
    volume.volume.reset();
    return volume;
}

mesos::Resource without_reservation(mesos::Resource resource)
{
    resource.reservations.pop_back();
    return resource;
}

}  // namespace

FakeMesos::FakeMesos(std::size_t agents, const mesos::Resources& each)
{
    for (std::size_t i = 1; i <= agents; ++i) {
        const std::string number = std::to_string(i);
        FakeAgent agent;
        agent.id.text = "agent-" + number;
        agent.hostname = "host-" + number;
        agent.ip = "10.0.0." + number;
        agent.free = mesos::Pool{each};
        agents_.push_back(std::move(agent));
    }
}

void FakeMesos::subscribe(const mesos::Subscribe& subscribe)
{
    take_back_offers();
    events_.clear();
    declined_.clear();
    maintenance_.resubscribed();
    connected_ = true;
    suppressed_ = subscribe.suppressed;
    // A framework that lost its id would lose its tasks.
    expects(ever_launched_.empty() || subscribe.framework_id.text == framework_id);
    events_.emplace_back(mesos::Subscribed{{framework_id}, std::chrono::seconds{15}, "sim:5050"});
    for (FakeAgent& agent : agents_) {
        if (!agent.reachable) continue;
        for (auto& [id, task] : agent.tasks) {
            if (!task.updates.empty()) say(task.updates.front());
        }
    }
}

void FakeMesos::disconnect()
{
    connected_ = false;
    events_.clear();
    take_back_offers();
}

void FakeMesos::receive(const mesos::Call& call)
{
    if (!connected_) return;
    std::visit(
        Overload{
            [this](const mesos::Accept& one) { accept(one); },
            [this](const mesos::Decline& one) {
                for (const mesos::OfferId& id : one.offers) {
                    const auto found = offers_.find(id);
                    if (found == offers_.end()) continue;
                    declined_.insert(found->second.agent);
                    offers_.erase(found);
                }
            },
            [](const mesos::AcceptInverse&) {},  // See accept_inverse().
            [](const mesos::DeclineInverse&) {},
            [this](const mesos::Revive&) {
                suppressed_ = false;
                declined_.clear();
            },
            [this](const mesos::Suppress&) { suppressed_ = true; },
            [this](const mesos::Kill& one) { kill(one); },
            [this](const mesos::Acknowledge& one) { acknowledge(one); },
            [](const mesos::AcknowledgeOperation&) {},
            [this](const mesos::Reconcile& one) { reconcile(one); }},
        call);
}

void FakeMesos::tick()
{
    for (FakeAgent& agent : agents_) {
        for (const mesos::Resource& resource : agent.late) agent.free.add(resource);
        if (!agent.late.empty()) declined_.erase(agent.id);
        agent.late.clear();
        if (!agent.reachable) continue;
        for (auto& [id, task] : agent.tasks) {  // Repeated until acknowledged.
            if (!task.updates.empty()) say(task.updates.front());
        }
    }
}

void FakeMesos::make_offers()
{
    if (!connected_ || suppressed_) return;
    mesos::OffersMade made;
    for (const FakeAgent& agent : agents_) {
        const auto is_its = [&agent](const auto& entry) { return entry.second.agent == agent.id; };
        if (!agent.reachable || declined_.contains(agent.id)) continue;
        if (std::ranges::any_of(offers_, is_its) || agent.free.items().empty()) continue;
        mesos::Offer offer;
        offer.id.text = "offer-" + std::to_string(++serial_);
        offer.agent_id = agent.id;
        offer.hostname = agent.hostname;
        offer.ip = agent.ip;
        offer.role = "mysos";
        offer.resources = agent.free.items();
        offer.unavailable = maintenance_.window(agent.id);
        offers_.emplace(offer.id, Outstanding{agent.id, offer.resources});
        made.offers.push_back(std::move(offer));
    }
    if (!made.offers.empty()) events_.emplace_back(std::move(made));
}

void FakeMesos::accept(const mesos::Accept& accept)
{
    const auto offer = accept.offers.size() == 1 ? offers_.find(accept.offers[0]) : offers_.end();
    if (offer == offers_.end()) {
        for (const mesos::Operation& operation : accept.operations) {
            const auto* launch = std::get_if<mesos::Launch>(&operation);
            if (launch == nullptr) continue;
            mesos::TaskStatus status;
            status.task_id = launch->task.id;
            status.agent_id = launch->task.agent_id;
            status.state = mesos::TaskState::dropped;
            status.source = mesos::TaskStatus::Source::master;
            status.reason = "REASON_INVALID_OFFERS";
            say(std::move(status));
        }
        return;
    }
    const Outstanding used = offer->second;
    offers_.erase(offer);
    const auto agent = std::ranges::find(agents_, used.agent, &FakeAgent::id);
    if (agent == agents_.end()) return;
    mesos::Pool pool{used.resources};
    for (const mesos::Operation& operation : accept.operations) apply(*agent, pool, operation);
}

bool FakeMesos::apply(FakeAgent& agent, mesos::Pool& pool, const mesos::Operation& operation)
{
    const auto convert = [&agent, &pool](const mesos::Resource& from, const mesos::Resource& to) {
        if (!pool.take(from)) return false;
        pool.add(to);
        expects(agent.free.take(from));
        agent.free.add(to);
        return true;
    };
    const auto all = [&pool](const mesos::Resources& wanted) { return pool.contains(wanted); };
    return std::visit(
        Overload{
            [&](const mesos::Reserve& reserve) {
                mesos::Resources sources;
                for (const auto& one : reserve.resources)
                    sources.push_back(without_reservation(one));
                if (!all(sources)) return false;
                for (const auto& one : reserve.resources) convert(without_reservation(one), one);
                return true;
            },
            [&](const mesos::Unreserve& unreserve) {
                if (!all(unreserve.resources)) return false;
                for (const auto& one : unreserve.resources) convert(one, without_reservation(one));
                return true;
            },
            [&](const mesos::Create& create) {
                return std::ranges::all_of(create.volumes, [&](const auto& one) {
                    return convert(without_volume(one), one);
                });
            },
            [&](const mesos::Destroy& destroy) {
                return std::ranges::all_of(destroy.volumes, [&](const auto& one) {
                    return convert(one, without_volume(one));
                });
            },
            [&](const mesos::Launch& one) {
                launch(agent, pool, one.task);
                return true;
            }},
        operation);
}

void FakeMesos::launch(FakeAgent& agent, mesos::Pool& pool, const mesos::Task& task)
{
    mesos::Resources needed = task.resources;
    needed.insert(needed.end(), task.executor.resources.begin(), task.executor.resources.end());
    const bool is_new = agent_of(task.id) == nullptr;
    if (!is_new || !pool.contains(needed)) {
        mesos::TaskStatus status;
        status.task_id = task.id;
        status.agent_id = agent.id;
        status.state = mesos::TaskState::error;
        status.source = mesos::TaskStatus::Source::master;
        status.reason = "REASON_TASK_INVALID";
        status.message = is_new ? "more than is offered" : "duplicate id";
        say(std::move(status));
        return;
    }
    for (const mesos::Resource& resource : needed) {
        expects(pool.take(resource));
        expects(agent.free.take(resource));
    }
    agent.tasks.emplace(task.id, FakeTask{task, mesos::TaskState::staging, {}, false});
    ever_launched_.insert(task.id);
    launched_.push_back(task);
}

void FakeMesos::update(const mesos::TaskId& id, mesos::TaskState state, const std::string& message)
{
    FakeAgent* agent = agent_of(id);
    if (agent == nullptr) return;
    FakeTask& task = agent->tasks.at(id);
    if (task.ended) return;
    task.state = state;
    mesos::TaskStatus status;
    status.task_id = id;
    status.agent_id = agent->id;
    status.state = state;
    status.message = message;
    status.source = mesos::TaskStatus::Source::executor;
    status.uuid = "uuid-" + std::to_string(++serial_);
    task.updates.push_back(status);
    if (task.updates.size() == 1 && agent->reachable) say(status);
    if (!is_terminal(state)) return;
    task.ended = true;
    for (const mesos::Resource& resource : task.info.resources) agent->free.add(resource);
    agent->late.insert(
        agent->late.end(),
        task.info.executor.resources.begin(),
        task.info.executor.resources.end());
    declined_.erase(agent->id);
}

void FakeMesos::kill(const mesos::Kill& kill)
{
    FakeAgent* agent = agent_of(kill.task_id);
    if (agent == nullptr || !agent->reachable) {
        answer({kill.task_id, kill.agent_id});
        return;
    }
    if (agent->id == kill.agent_id) killed_.push_back(kill.task_id);
}

void FakeMesos::acknowledge(const mesos::Acknowledge& acknowledge)
{
    FakeAgent* agent = agent_of(acknowledge.task_id);
    if (agent == nullptr || !agent->reachable) return;
    FakeTask& task = agent->tasks.at(acknowledge.task_id);
    if (task.updates.empty() || task.updates.front().uuid != acknowledge.uuid) return;
    task.updates.pop_front();
    if (!task.updates.empty()) say(task.updates.front());
    if (task.updates.empty() && task.ended) agent->tasks.erase(acknowledge.task_id);
}

void FakeMesos::reconcile(const mesos::Reconcile& reconcile)
{
    for (const mesos::ReconcileTask& task : reconcile.tasks) answer(task);
    if (!reconcile.tasks.empty()) return;
    for (const FakeAgent& agent : agents_) {
        if (!agent.reachable) continue;
        for (const auto& [id, task] : agent.tasks) answer({id, agent.id});
    }
}

void FakeMesos::answer(const mesos::ReconcileTask& task)
{
    mesos::TaskStatus status;
    status.task_id = task.task_id;
    status.agent_id = task.agent_id;
    status.source = mesos::TaskStatus::Source::master;
    status.reason = "REASON_RECONCILIATION";
    const FakeAgent* holder = agent_of(task.task_id);
    const auto asked = std::ranges::find(agents_, task.agent_id, &FakeAgent::id);
    if (holder != nullptr && holder->reachable) {
        status.agent_id = holder->id;
        status.state = holder->tasks.at(task.task_id).state;
    } else if (asked == agents_.end()) {
        // An agent that came back under another id: its old one stays unreachable.
        status.state = mesos::TaskState::unreachable;
    } else {
        status.state = asked->reachable ? mesos::TaskState::gone : mesos::TaskState::unreachable;
    }
    say(std::move(status));
}

void FakeMesos::say(mesos::TaskStatus status)
{
    if (connected_) events_.emplace_back(mesos::StatusUpdated{std::move(status)});
}

void FakeMesos::lose_agent(std::size_t index)
{
    FakeAgent& agent = agents_.at(index);
    if (!agent.reachable) return;
    agent.reachable = false;
    forget_offers_of(agent);
    for (const auto& [id, task] : agent.tasks) {
        mesos::TaskStatus status;
        status.task_id = id;
        status.agent_id = agent.id;
        status.state = mesos::TaskState::unreachable;
        status.source = mesos::TaskStatus::Source::master;
        status.reason = "REASON_AGENT_REMOVED";
        say(std::move(status));
    }
    if (connected_) events_.emplace_back(mesos::AgentFailed{agent.id});
}

void FakeMesos::return_agent(std::size_t index, bool renamed)
{
    FakeAgent& agent = agents_.at(index);
    if (agent.reachable) return;
    agent.reachable = true;
    declined_.erase(agent.id);
    if (renamed) {
        for (auto& [id, task] : agent.tasks) {
            if (task.ended) continue;
            for (const auto& one : task.info.resources) agent.free.add(one);
            for (const auto& one : task.info.executor.resources) agent.free.add(one);
            killed_.push_back(id);
        }
        agent.tasks.clear();
        agent.id.text += "'";
        return;
    }
    for (const auto& [id, task] : agent.tasks) {
        mesos::TaskStatus status;
        status.task_id = id;
        status.agent_id = agent.id;
        status.state = task.state;
        status.source = mesos::TaskStatus::Source::master;
        status.reason = "REASON_AGENT_REREGISTERED";
        say(std::move(status));
    }
}

void FakeMesos::plan_maintenance(const mesos::AgentId& agent, std::int64_t from_unix_ms)
{
    maintenance_.plan(agent, from_unix_ms);
    declined_.erase(agent);
}

void FakeMesos::end_maintenance(const mesos::AgentId& agent)
{
    const auto event = maintenance_.end(agent);
    if (event && connected_) events_.push_back(*event);
    declined_.erase(agent);
}

void FakeMesos::make_inverse_offers(TimePoint now)
{
    if (!connected_) return;
    std::set<mesos::AgentId> used;
    for (const FakeAgent& agent : agents_) {
        if (agent.reachable && !agent.tasks.empty()) used.insert(agent.id);
    }
    if (auto event = maintenance_.ask(used, now, serial_)) events_.push_back(std::move(*event));
}

std::vector<mesos::AgentId> FakeMesos::accept_inverse(
    const mesos::AcceptInverse& accept, TimePoint now)
{
    if (!connected_) return {};
    return maintenance_.accept(accept, now);
}

FakeAgent* FakeMesos::agent_of(const mesos::TaskId& task)
{
    const auto found = std::ranges::find_if(
        agents_, [&task](const FakeAgent& agent) { return agent.tasks.contains(task); });
    return found == agents_.end() ? nullptr : &*found;
}

std::vector<mesos::Task> FakeMesos::take_launched()
{
    return std::exchange(launched_, {});
}

std::vector<mesos::TaskId> FakeMesos::take_killed()
{
    return std::exchange(killed_, {});
}

void FakeMesos::take_back_offers()
{
    offers_.clear();
}

void FakeMesos::forget_offers_of(const FakeAgent& agent)
{
    for (auto offer = offers_.begin(); offer != offers_.end();) {
        if (offer->second.agent != agent.id) {
            ++offer;
            continue;
        }
        if (connected_) events_.emplace_back(mesos::OfferRescinded{offer->first});
        offer = offers_.erase(offer);
    }
}

}  // namespace mysos::sim
