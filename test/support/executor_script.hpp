#pragma once

#include "executor/decide/member.hpp"

#include <string>
#include <vector>

/// A member driven by hand, its effects as lines of text.
namespace mysos::executor::test {

using Lines = std::vector<std::string>;

/// "start 1 fenced", "epoch 5 candidate amnesiac", "say promoted 5 0-1-7". Observations, which
/// follow from the state, are left out.
[[nodiscard]] Lines script(const Effects& effects);

/// One member with its shell's part played: a SaveEpoch succeeds at once, unless told otherwise.
class Member {
  public:
    Config config;
    State state;
    TimePoint now{std::chrono::hours{1}};
    bool disk_full = false;  ///< SaveEpoch fails.

    /// The effects of `input` and of what follows from it.
    Lines feed(const Input& input);
    Lines order(control::ToMember order) { return feed(OrderArrived{std::move(order)}); }
    /// Moves time, sending DeadlinePassed whenever it is due.
    Lines wait(Duration duration);

    /// All observations sent by the last feed or wait.
    [[nodiscard]] const std::vector<control::Observation>& observations() const
    {
        return observations_;
    }

    // Beginnings.
    void launch(const std::string& flavor = "mariadb");
    void connect();
    /// A new member whose server answers, connected.
    void fence(const std::string& flavor = "mariadb");
    void replicate(Epoch epoch, MemberId primary, bool acknowledge);
    void promote(Epoch epoch, std::uint32_t acks, bool open);

    [[nodiscard]] RunId run() const { return state.server.run; }
    [[nodiscard]] OpId op() const { return state.last_op; }
    [[nodiscard]] control::Phase phase() const { return observation(state).phase; }

  private:
    std::vector<control::Observation> observations_;
};

[[nodiscard]] wire::TaskData task_data(const std::string& flavor);
[[nodiscard]] control::Follow follow(Epoch epoch, MemberId primary, bool acknowledge);

}  // namespace mysos::executor::test
