#include "common/base/overload.hpp"
#include "common/wire/mesos.hpp"
#include "mesos/v1/scheduler.pb.h"

#include <chrono>

namespace mysos::wire {
namespace {

namespace pb = ::mesos::v1;
using Call = pb::scheduler::Call;

double seconds(Duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

std::int64_t nanoseconds(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

void write_labels(const mesos::Labels& labels, pb::Labels& to)
{
    for (const mesos::Label& label : labels) {
        pb::Label* one = to.add_labels();
        one->set_key(label.key);
        if (label.value) one->set_value(*label.value);
    }
}

template <class Repeated>
void write_resources(const mesos::Resources& resources, Repeated& to)
{
    for (const mesos::Resource& resource : resources) write_resource(resource, *to.Add());
}

void write_command(const mesos::Command& command, pb::CommandInfo& to)
{
    to.set_value(command.value);
    to.set_shell(true);
    if (!command.user.empty()) to.set_user(command.user);
    for (const mesos::Uri& uri : command.uris) {
        pb::CommandInfo::URI* one = to.add_uris();
        one->set_value(uri.value);
        one->set_executable(uri.executable);
        one->set_extract(uri.extract);
    }
    for (const mesos::Variable& variable : command.environment) {
        pb::Environment::Variable* one = to.mutable_environment()->add_variables();
        one->set_name(variable.name);
        one->set_value(variable.value);
    }
}

void write_executor(
    const mesos::Executor& executor, const mesos::FrameworkId& framework_id, pb::ExecutorInfo& to)
{
    to.set_type(pb::ExecutorInfo::CUSTOM);
    to.mutable_executor_id()->set_value(executor.id.text);
    to.mutable_framework_id()->set_value(framework_id.text);
    to.set_name(executor.name);
    // Deprecated in favour of labels, and still what dashboards group executors by.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    to.set_source(executor.source);
#pragma GCC diagnostic pop
    write_command(executor.command, *to.mutable_command());
    write_resources(executor.resources, *to.mutable_resources());
    if (!executor.labels.empty()) write_labels(executor.labels, *to.mutable_labels());
    to.mutable_shutdown_grace_period()->set_nanoseconds(nanoseconds(executor.shutdown_grace));
}

void write_task(const mesos::Task& task, const mesos::FrameworkId& framework_id, pb::TaskInfo& to)
{
    to.set_name(task.name);
    to.mutable_task_id()->set_value(task.id.text);
    to.mutable_agent_id()->set_value(task.agent_id.text);
    write_resources(task.resources, *to.mutable_resources());
    write_executor(task.executor, framework_id, *to.mutable_executor());
    if (!task.data.empty()) to.set_data(task.data);
    if (!task.labels.empty()) write_labels(task.labels, *to.mutable_labels());
    to.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(nanoseconds(task.kill_grace));

    pb::DiscoveryInfo* discovery = to.mutable_discovery();
    discovery->set_visibility(pb::DiscoveryInfo::FRAMEWORK);
    discovery->set_name(task.discovery.name);
    if (!task.discovery.labels.empty()) {
        write_labels(task.discovery.labels, *discovery->mutable_labels());
    }
    for (const mesos::DiscoveryPort& port : task.discovery.ports) {
        pb::Port* one = discovery->mutable_ports()->add_ports();
        one->set_number(port.number);
        one->set_name(port.name);
        one->set_protocol("tcp");
    }
}

void write_operation(
    const mesos::Operation& operation,
    const mesos::FrameworkId& framework_id,
    pb::Offer::Operation& to)
{
    using Operation = pb::Offer::Operation;
    std::visit(
        Overload{
            [&to](const mesos::Reserve& reserve) {
                to.set_type(Operation::RESERVE);
                write_resources(reserve.resources, *to.mutable_reserve()->mutable_resources());
            },
            [&to](const mesos::Unreserve& unreserve) {
                to.set_type(Operation::UNRESERVE);
                write_resources(unreserve.resources, *to.mutable_unreserve()->mutable_resources());
            },
            [&to](const mesos::Create& create) {
                to.set_type(Operation::CREATE);
                write_resources(create.volumes, *to.mutable_create()->mutable_volumes());
            },
            [&to](const mesos::Destroy& destroy) {
                to.set_type(Operation::DESTROY);
                write_resources(destroy.volumes, *to.mutable_destroy()->mutable_volumes());
            },
            [&to, &framework_id](const mesos::Launch& launch) {
                to.set_type(Operation::LAUNCH);
                write_task(launch.task, framework_id, *to.mutable_launch()->add_task_infos());
            }},
        operation);
}

class Writer {
  public:
    explicit Writer(const mesos::FrameworkId& framework_id) : framework_id_{framework_id}
    {
        call_.mutable_framework_id()->set_value(framework_id.text);
    }

    void operator()(const mesos::Accept& accept)
    {
        call_.set_type(Call::ACCEPT);
        Call::Accept* to = call_.mutable_accept();
        for (const mesos::OfferId& offer : accept.offers)
            to->add_offer_ids()->set_value(offer.text);
        for (const mesos::Operation& operation : accept.operations) {
            write_operation(operation, framework_id_, *to->add_operations());
        }
        to->mutable_filters()->set_refuse_seconds(seconds(accept.refuse));
    }
    void operator()(const mesos::Decline& decline)
    {
        call_.set_type(Call::DECLINE);
        Call::Decline* to = call_.mutable_decline();
        for (const mesos::OfferId& offer : decline.offers) {
            to->add_offer_ids()->set_value(offer.text);
        }
        to->mutable_filters()->set_refuse_seconds(seconds(decline.refuse));
    }
    void operator()(const mesos::AcceptInverse& accept)
    {
        call_.set_type(Call::ACCEPT_INVERSE_OFFERS);
        Call::AcceptInverseOffers* to = call_.mutable_accept_inverse_offers();
        for (const mesos::OfferId& offer : accept.offers) {
            to->add_inverse_offer_ids()->set_value(offer.text);
        }
        to->mutable_filters()->set_refuse_seconds(seconds(accept.refuse));
    }
    void operator()(const mesos::DeclineInverse& decline)
    {
        call_.set_type(Call::DECLINE_INVERSE_OFFERS);
        Call::DeclineInverseOffers* to = call_.mutable_decline_inverse_offers();
        for (const mesos::OfferId& offer : decline.offers) {
            to->add_inverse_offer_ids()->set_value(offer.text);
        }
        to->mutable_filters()->set_refuse_seconds(seconds(decline.refuse));
    }
    void operator()(const mesos::Revive&) { call_.set_type(Call::REVIVE); }
    void operator()(const mesos::Suppress&) { call_.set_type(Call::SUPPRESS); }
    void operator()(const mesos::Kill& kill)
    {
        call_.set_type(Call::KILL);
        Call::Kill* to = call_.mutable_kill();
        to->mutable_task_id()->set_value(kill.task_id.text);
        if (!kill.agent_id.empty()) to->mutable_agent_id()->set_value(kill.agent_id.text);
        if (kill.grace) {
            to->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(
                nanoseconds(*kill.grace));
        }
    }
    void operator()(const mesos::Acknowledge& acknowledge)
    {
        call_.set_type(Call::ACKNOWLEDGE);
        Call::Acknowledge* to = call_.mutable_acknowledge();
        to->mutable_agent_id()->set_value(acknowledge.agent_id.text);
        to->mutable_task_id()->set_value(acknowledge.task_id.text);
        to->set_uuid(acknowledge.uuid);
    }
    void operator()(const mesos::AcknowledgeOperation& acknowledge)
    {
        call_.set_type(Call::ACKNOWLEDGE_OPERATION_STATUS);
        Call::AcknowledgeOperationStatus* to = call_.mutable_acknowledge_operation_status();
        to->mutable_agent_id()->set_value(acknowledge.agent_id.text);
        to->set_uuid(acknowledge.uuid);
        to->mutable_operation_id()->set_value(acknowledge.operation_id);
    }
    void operator()(const mesos::Reconcile& reconcile)
    {
        call_.set_type(Call::RECONCILE);
        Call::Reconcile* to = call_.mutable_reconcile();
        for (const mesos::ReconcileTask& task : reconcile.tasks) {
            Call::Reconcile::Task* one = to->add_tasks();
            one->mutable_task_id()->set_value(task.task_id.text);
            if (!task.agent_id.empty()) one->mutable_agent_id()->set_value(task.agent_id.text);
        }
    }

    [[nodiscard]] std::string text() const { return call_.SerializeAsString(); }

  private:
    const mesos::FrameworkId& framework_id_;
    Call call_;
};

}  // namespace

std::string encode_subscribe(const mesos::Subscribe& subscribe)
{
    Call call;
    call.set_type(Call::SUBSCRIBE);
    pb::FrameworkInfo* info = call.mutable_subscribe()->mutable_framework_info();
    const mesos::FrameworkInfo& from = subscribe.framework;
    info->set_user(from.user);
    info->set_name(from.name);
    info->add_roles(from.role);
    info->set_checkpoint(true);
    info->set_failover_timeout(seconds(from.failover_timeout));
    if (from.principal) info->set_principal(*from.principal);
    if (!from.hostname.empty()) info->set_hostname(from.hostname);
    if (!from.webui_url.empty()) info->set_webui_url(from.webui_url);
    using Capability = pb::FrameworkInfo::Capability;
    info->add_capabilities()->set_type(Capability::MULTI_ROLE);
    info->add_capabilities()->set_type(Capability::RESERVATION_REFINEMENT);
    info->add_capabilities()->set_type(Capability::PARTITION_AWARE);
    info->add_capabilities()->set_type(Capability::REGION_AWARE);
    if (!subscribe.framework_id.empty()) {
        call.mutable_framework_id()->set_value(subscribe.framework_id.text);
        info->mutable_id()->set_value(subscribe.framework_id.text);
    }
    if (subscribe.suppressed) call.mutable_subscribe()->add_suppressed_roles(from.role);
    return call.SerializeAsString();
}

std::string encode_call(const mesos::Call& call, const mesos::FrameworkId& framework_id)
{
    Writer writer{framework_id};
    std::visit(writer, call);
    return writer.text();
}

}  // namespace mysos::wire
