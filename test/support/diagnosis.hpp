#pragma once

#include "common/diagnosis/diagnosis.hpp"

#include <chrono>
#include <map>

/// A cluster of three as a diagnosis sees it, all well, to be spoilt by a test.
namespace mysos::test {

struct Ward {
    static constexpr MemberId p{1};
    static constexpr MemberId r2{2};
    static constexpr MemberId r3{3};

    TimePoint now{std::chrono::seconds{1000}};
    diagnosis::Config config;
    diagnosis::Past past;
    diagnosis::View view;
    std::map<MemberId, mysql::Observation> seen;

    Ward()
    {
        view.epoch = Epoch{4};
        view.primary = p;
        view.electorate = {{p, r2, r3}, 1};
        past.epoch = view.epoch;
        for (const MemberId id : {p, r2, r3}) add(id);
        mysql::Observation& primary = seen[p];
        primary.phase = control::Phase::primary;
        primary.writable = true;
        primary.semi_sync_clients = 2;
        primary.acks_required = 1;
        primary.source = MemberId{};
        primary.receiver_running = false;
        primary.receiver_state = control::ReceiverState::stopped;
    }

    /// A replica that is well.
    void add(MemberId id)
    {
        mysql::Observation& replica = seen[id];
        replica.phase = control::Phase::replica;
        replica.epoch = Epoch{4};
        replica.answers = true;
        replica.read_only = true;
        replica.source = p;
        replica.receiver_running = true;
        replica.receiver_state = control::ReceiverState::running;
        replica.receiver_error = "";
        replica.applier_running = true;
        replica.applier_error = "";
        replica.acknowledges = true;
        replica.lag = std::chrono::seconds{0};
        replica.disk_free_bytes = 1ULL << 30U;
        replica.disk_total_bytes = 1ULL << 31U;
        diagnosis::Member& member = view.members[id];
        member.connected = true;
        member.heard_at = now;
        member.host = "10.0.0." + std::to_string(number(id));
        member.port = 3306;
    }

    // What may happen to a member.

    void lose_stream(MemberId id)
    {
        view.members[id].connected = false;
        view.members[id].heard_at = now - std::chrono::seconds{4};
    }
    /// Its receiver tries in vain.
    void lose_source(MemberId id)
    {
        seen[id].receiver_running = false;
        seen[id].receiver_state = control::ReceiverState::connecting;
        seen[id].receiver_error = "2003: cannot connect";
    }
    /// Its server ends.
    void end(MemberId id, control::Phase phase = control::Phase::crashed)
    {
        seen[id] = {};
        seen[id].phase = phase;
        seen[id].epoch = Epoch{4};
    }
    /// Its server does not answer its executor.
    void hang(MemberId id, Duration unanswered)
    {
        const control::Phase phase = seen[id].phase;
        end(id, phase);
        seen[id].unanswered = unanswered;
    }
    void remove(MemberId id)
    {
        view.members.erase(id);
        view.electorate.members.erase(id);
        seen.erase(id);
    }

    /// Everybody has been so since then.
    void look()
    {
        for (auto& [id, member] : view.members) {
            const auto found = seen.find(id);
            member.observation = found == seen.end() ? nullptr : &found->second;
        }
        diagnosis::remember(past, view, config, now);
    }
    /// The same is said again and again meanwhile, by those whose streams are up.
    void wait(Duration duration)
    {
        look();
        now += duration;
        for (auto& [id, member] : view.members) {
            if (member.connected) member.heard_at = now;
        }
        look();
    }
};

}  // namespace mysos::test
