#include "common/wire/state.hpp"

#include "common/wire/errc.hpp"
#include "mysos/state.pb.h"

#include <google/protobuf/unknown_field_set.h>

#include <utility>

namespace mysos::wire {
namespace {

namespace pb = ::mysos::state;

std::string unknown_fields(const google::protobuf::Message& message)
{
    std::string bytes;
    message.GetReflection()->GetUnknownFields(message).SerializeToString(&bytes);
    return bytes;
}

void keep_unknown(const std::string& bytes, google::protobuf::Message& message)
{
    if (bytes.empty()) return;
    message.GetReflection()->MutableUnknownFields(&message)->ParseFromString(bytes);
}

void write_format(pb::Format& format)
{
    format.set_major(state_format_major);
    format.set_minor(state_format_minor);
}

template <class Message>
Result<Message> parse(std::string_view bytes)
{
    Message message;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return Errc::state_corrupt;
    }
    if (!message.has_format() || message.format().major() == 0) return Errc::state_corrupt;
    if (message.format().major() > state_format_major) return Errc::state_too_new;
    return message;
}

constexpr bool is_port(std::uint32_t number)
{
    return number <= 65535;
}

cluster::Member to_member(const pb::Member& member)
{
    cluster::Member result;
    result.task_id.text = member.task_id();
    result.agent_id.text = member.agent_id();
    result.hostname = member.hostname();
    result.ip = member.ip();
    result.port = static_cast<std::uint16_t>(member.port());
    result.peer_port = static_cast<std::uint16_t>(member.peer_port());
    result.persistence_id.text = member.persistence_id();
    result.volume_created = member.volume_created();
    result.launched = member.launched();
    result.token_exchanged = member.token_exchanged();
    result.failures = member.failures();
    result.to_copy = member.to_copy();
    result.region = member.region();
    result.zone = member.zone();
    for (const pb::Attribute& attribute : member.attributes()) {
        result.attributes.emplace(attribute.name(), attribute.text());
    }
    result.unknown_fields = unknown_fields(member);
    return result;
}

void write_member(MemberId id, const cluster::Member& member, pb::Member& to)
{
    to.set_server_id(static_cast<std::uint32_t>(id));
    to.set_task_id(member.task_id.text);
    to.set_agent_id(member.agent_id.text);
    to.set_hostname(member.hostname);
    to.set_ip(member.ip);
    to.set_port(member.port);
    to.set_peer_port(member.peer_port);
    to.set_persistence_id(member.persistence_id.text);
    to.set_volume_created(member.volume_created);
    to.set_launched(member.launched);
    to.set_token_exchanged(member.token_exchanged);
    to.set_failures(member.failures);
    to.set_to_copy(member.to_copy);
    to.set_region(member.region);
    to.set_zone(member.zone);
    for (const auto& [name, text] : member.attributes) {
        pb::Attribute* attribute = to.add_attributes();
        attribute->set_name(name);
        attribute->set_text(text);
    }
    keep_unknown(member.unknown_fields, to);
}

}  // namespace

Result<cluster::Record> decode_cluster(std::string_view bytes)
{
    const Result<pb::Cluster> parsed = parse<pb::Cluster>(bytes);
    if (parsed.has_error()) return parsed.error();
    const pb::Cluster& from = *parsed;
    if (from.name().empty() || from.uuid().empty()) return Errc::state_corrupt;

    cluster::Record record;
    record.name = from.name();
    record.uuid = from.uuid();
    record.flavor = from.flavor();
    record.num_nodes = from.num_nodes();
    record.size = {from.size().milli_cpus(), from.size().mem_mb(), from.size().disk_mb()};
    record.cluster_user = from.cluster_user();
    record.sealed_secrets = from.sealed_secrets();
    record.epoch = Epoch{from.epoch()};
    for (const std::uint32_t id : from.electorate()) record.electorate.insert(MemberId{id});
    record.acks = from.acks();
    record.primary = MemberId{from.primary_server_id()};
    record.opened = from.opened();
    record.primary_position = from.primary_position();
    record.candidate = MemberId{from.candidate_server_id()};
    record.since = Epoch{from.since_epoch()};
    record.next_server_id = from.next_server_id();
    for (const pb::Member& member : from.members()) {
        const bool is_new =
            record.members.emplace(MemberId{member.server_id()}, to_member(member)).second;
        if (!is_new || member.server_id() == 0) return Errc::state_corrupt;
        if (!is_port(member.port()) || !is_port(member.peer_port())) return Errc::state_corrupt;
    }
    record.deleting = from.deleting();
    record.created_at_unix_ms = from.created_at_unix_ms();
    record.task_serial = from.task_serial();
    record.ever_opened = from.ever_opened();
    for (const pb::Constraint& stored : from.constraints()) {
        const auto op = placement::operator_named(stored.op());
        if (!op) return Errc::state_corrupt;
        record.constraints.push_back({stored.field(), *op, stored.value()});
    }
    record.colocate = from.colocate();
    if (!from.two_node_policy().empty()) {  // Empty: by a version that did not know it.
        const auto policy = cluster::two_node_policy_named(from.two_node_policy());
        if (!policy) return Errc::state_corrupt;
        record.two_node_policy = *policy;
    }
    if (!from.durability().empty()) {
        const auto durability = cluster::durability_named(from.durability());
        if (!durability) return Errc::state_corrupt;
        record.durability = *durability;
    }
    record.serving = MemberId{from.serving_server_id()};
    record.unknown_fields = unknown_fields(from);
    return record;
}

std::string encode_cluster(const cluster::Record& record)
{
    pb::Cluster to;
    write_format(*to.mutable_format());
    to.set_name(record.name);
    to.set_uuid(record.uuid);
    to.set_flavor(record.flavor);
    to.set_num_nodes(record.num_nodes);
    to.mutable_size()->set_milli_cpus(record.size.milli_cpus);
    to.mutable_size()->set_mem_mb(record.size.mem_mb);
    to.mutable_size()->set_disk_mb(record.size.disk_mb);
    to.set_cluster_user(record.cluster_user);
    to.set_sealed_secrets(record.sealed_secrets);
    to.set_epoch(static_cast<std::uint64_t>(record.epoch));
    for (const MemberId id : record.electorate) to.add_electorate(static_cast<std::uint32_t>(id));
    to.set_acks(record.acks);
    to.set_primary_server_id(static_cast<std::uint32_t>(record.primary));
    to.set_opened(record.opened);
    to.set_primary_position(record.primary_position);
    to.set_candidate_server_id(static_cast<std::uint32_t>(record.candidate));
    to.set_since_epoch(static_cast<std::uint64_t>(record.since));
    to.set_next_server_id(record.next_server_id);
    for (const auto& [id, member] : record.members) write_member(id, member, *to.add_members());
    to.set_deleting(record.deleting);
    to.set_created_at_unix_ms(record.created_at_unix_ms);
    to.set_task_serial(record.task_serial);
    to.set_ever_opened(record.ever_opened);
    for (const placement::Constraint& constraint : record.constraints) {
        pb::Constraint* one = to.add_constraints();
        one->set_field(constraint.field);
        one->set_op(to_text(constraint.op));
        one->set_value(constraint.value);
    }
    to.set_colocate(record.colocate);
    to.set_two_node_policy(to_text(record.two_node_policy));
    to.set_durability(to_text(record.durability));
    to.set_serving_server_id(static_cast<std::uint32_t>(record.serving));
    keep_unknown(record.unknown_fields, to);
    return to.SerializeAsString();
}

Result<cluster::FrameworkRecord> decode_framework(std::string_view bytes)
{
    const Result<pb::Framework> parsed = parse<pb::Framework>(bytes);
    if (parsed.has_error()) return parsed.error();
    cluster::FrameworkRecord record;
    record.framework_id.text = parsed->framework_id();
    for (const pb::RetiredVolume& volume : parsed->retired_volumes()) {
        cluster::RetiredVolume one;
        one.persistence_id.text = volume.persistence_id();
        one.agent_id.text = volume.agent_id();
        one.retired_at_unix_ms = volume.retired_at_unix_ms();
        one.cluster = volume.cluster();
        one.unknown_fields = unknown_fields(volume);
        record.retired_volumes.push_back(std::move(one));
    }
    record.clusters.insert(parsed->clusters().begin(), parsed->clusters().end());
    record.unknown_fields = unknown_fields(*parsed);
    return record;
}

std::string encode_framework(const cluster::FrameworkRecord& record)
{
    pb::Framework to;
    write_format(*to.mutable_format());
    to.set_framework_id(record.framework_id.text);
    for (const cluster::RetiredVolume& volume : record.retired_volumes) {
        pb::RetiredVolume* one = to.add_retired_volumes();
        one->set_persistence_id(volume.persistence_id.text);
        one->set_agent_id(volume.agent_id.text);
        one->set_retired_at_unix_ms(volume.retired_at_unix_ms);
        one->set_cluster(volume.cluster);
        keep_unknown(volume.unknown_fields, *one);
    }
    for (const std::string& name : record.clusters) to.add_clusters(name);
    keep_unknown(record.unknown_fields, to);
    return to.SerializeAsString();
}

}  // namespace mysos::wire
