#pragma once

#include "common/diagnosis/view.hpp"

#include <cstddef>

/// The predicates that rules are made of. For the files of this folder alone.
namespace mysos::diagnosis {

/// What a member of E tells of its connection to the primary.
enum class Link {
    unknown,   ///< Not heard, or its server says nothing: it may still acknowledge.
    receives,  ///< A packet came within the lease.
    lost,      ///< Its server runs and tries in vain, or follows somebody else.
    absent,    ///< Its server is down or shut out, which says nothing of the primary.
};

struct Case {
    const View& view;
    const Past& past;
    const Config& config;
    TimePoint now;
    const Member* primary = nullptr;  ///< Null: there never was one, or it is no member any more.

    Case(const View& view, const Past& past, const Config& config, TimePoint now);

    [[nodiscard]] bool is_primary(MemberId id) const { return id == view.primary; }
    [[nodiscard]] bool in_electorate(MemberId id) const;
    /// Its word is young enough to count.
    [[nodiscard]] bool heard(const Member& member) const;
    /// Heard, and its server answers: all of its observation counts.
    [[nodiscard]] bool answers(const Member& member) const;
    /// Its server or its task is surely not there.
    [[nodiscard]] bool is_down(const Member& member) const;
    /// Its executor lives, its server has been silent for so long.
    [[nodiscard]] bool hangs(const Member& member, Duration least) const;

    // Of the primary.
    [[nodiscard]] bool never_was_one() const;
    [[nodiscard]] bool has_ended() const;        ///< Or leads no more, by its own word.
    [[nodiscard]] bool silent() const;           ///< For the whole lease.
    [[nodiscard]] bool lost_to_all() const;      ///< To so many that it can commit nothing.
    [[nodiscard]] bool lost_to_us_only() const;  ///< Somebody receives from it.
    [[nodiscard]] bool leads() const;            ///< Heard, answers, in its part and epoch.
    [[nodiscard]] bool commits_wait() const;     ///< While it leads.
    /// How many acknowledgements its commits wait for: above the recorded k while that is raised.
    [[nodiscard]] std::size_t acks_awaited() const;
    /// While it leads: fewer than that can acknowledge.
    [[nodiscard]] bool short_of_replicas() const;

    // Of the replicas in E.
    [[nodiscard]] Link link(const Member& member) const;
    [[nodiscard]] std::size_t replicas() const;
    [[nodiscard]] std::size_t replicas(Link of) const;
    [[nodiscard]] std::size_t receivers_max() const;  ///< That may be acknowledging.
    /// That receive, acknowledge, and have this already.
    [[nodiscard]] std::size_t holders(const mysql::Position& position) const;
    [[nodiscard]] bool can_take_over() const;  ///< Enough of them would vote at once.
    /// And have k among them to acknowledge, without the primary.
    [[nodiscard]] bool can_do_without_primary() const;

    // Of two in E, where the primary may go on alone.
    [[nodiscard]] const Member* only_replica() const;  ///< Null: it may not, or need not.
    [[nodiscard]] bool does_without_replica() const;   ///< Though its commits wait for it.

    // Of any replica.
    [[nodiscard]] bool replicates(const Member& member) const;  ///< Or tries to.
    [[nodiscard]] bool is_broken(const Member& member) const;
    [[nodiscard]] bool lags(const Member& member) const;
    [[nodiscard]] bool is_errant(MemberId id, const Member& member) const;
    [[nodiscard]] bool disk_is_full(const Member& member) const;

  private:
    [[nodiscard]] std::size_t voters() const;
};

}  // namespace mysos::diagnosis
