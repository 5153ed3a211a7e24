#include "common/cluster/orders.hpp"

#include "common/cluster/names.hpp"

#include <utility>

namespace mysos::cluster {
namespace {

/// What the primary, or who is to be, surely holds by now.
std::string known_position(const Stepping& step, MemberId primary)
{
    mysql::Position known;
    const auto* promoting = std::get_if<election::Promoting>(&step.state.election.phase);
    if (promoting != nullptr && promoting->candidate.member == primary) {
        known = promoting->candidate.position;
    }
    const auto& seen = step.state.members.at(primary).understood;
    if (seen) known = known.unite(seen->position);
    return known.to_text();
}

}  // namespace

void order(Stepping& step, MemberId id, control::ToMember message)
{
    const auto seen = step.state.members.find(id);
    if (seen == step.state.members.end() || !seen->second.stream) return;
    step.act(SendOrder{*seen->second.stream, id, std::move(message)});
}

control::AccountSpec account(control::AccountSpec::Kind kind, std::string user)
{
    return {kind, {std::move(user), {}}};
}

std::vector<control::AccountSpec> accounts(const Record& record)
{
    using Kind = control::AccountSpec::Kind;
    std::vector<control::AccountSpec> result{
        account(Kind::admin, {}), account(Kind::application, record.cluster_user)};
    if (flavor(record) == mysql::Flavor::mysql) {
        result.push_back(account(Kind::clone, clone_user()));
    }
    for (const auto& [id, member] : record.members) {
        if (record.ever_opened && !record.electorate.contains(id)) continue;
        result.push_back(account(Kind::replication, replication_user(id)));
    }
    return result;
}

void follow(Stepping& step, const electorate::SendFollow& effect)
{
    const Member& source = step.member(effect.primary);
    order(
        step,
        effect.member,
        control::Follow{
            .epoch = effect.epoch,
            .primary = effect.primary,
            .host = source.ip,
            .port = source.port,
            .account = {replication_user(effect.member), {}},
            .acknowledge = effect.acknowledge,
            .serial = effect.serial,
            .caught_up = effect.caught_up,
            .server_run = effect.server_run,
            .position = known_position(step, effect.primary)});
}

void rebuild(Stepping& step, const electorate::SendRebuild& effect)
{
    const Member& donor = step.member(effect.donor);
    order(
        step,
        effect.member,
        control::Rebuild{
            .epoch = effect.epoch,
            .primary = effect.primary,
            .donor = effect.donor,
            .donor_host = donor.ip,
            .donor_port = donor.port,
            .donor_peer_port = donor.peer_port,
            .account = {clone_user(), {}},
            .position = known_position(step, effect.primary),
            .serial = effect.serial});
}

}  // namespace mysos::cluster
