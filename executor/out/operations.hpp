#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/task_data.hpp"
#include "executor/control/server_control.hpp"
#include "executor/decide/effect.hpp"
#include "executor/post.hpp"

#include <memory>
#include <optional>

namespace mysos::executor {

/// Carries orders out on the running server, each on a pool thread, and posts what came of them.
/// The machine gives one at a time. Every one ends by its deadline, so that its outcome comes.
///
/// What waits for received transactions to be applied does so in short steps, and can be abandoned
/// between two of them: a newer epoch must not wait for a slow applier.
///
/// Lifetime: must outlive its tasks. Thread: the event loop's.
class Operations {
  public:
    Operations(io::Offload& offload, io::Tasks& tasks, Post post);

    void begin(const wire::TaskData& data) { data_ = data; }
    /// Of the run that the next operations are for.
    void use(std::shared_ptr<ServerControl> control) { control_ = std::move(control); }

    void start(const StopReceiver& order);
    void start(const PromoteServer& order);
    void start(const MakeAccounts& order);
    void start(const FollowPrimary& order);
    void start(const OpenServer& order);
    void start(const ChangeAcknowledgers& order);
    void start(const BarAccount& order);
    void start(const ShutServer& order);
    void abandon(OpId op);
    /// Posts PushFailed, or nothing.
    void push();

  private:
    using Control = std::shared_ptr<ServerControl>;

    /// Runs `work(control)` on the pool and posts `done(its value)` or OpFailed.
    template <class Work, class Done>
    [[nodiscard]] io::Awaitable<void> run(OpId op, Control control, Work work, Done done);
    [[nodiscard]] io::Awaitable<bool> applied(OpId op, Control control);
    [[nodiscard]] io::Awaitable<void> promote(PromoteServer order, Control control);
    [[nodiscard]] io::Awaitable<void> push_with(Control control);
    [[nodiscard]] io::Awaitable<void> follow(FollowPrimary order, Control control);

    io::Offload& offload_;
    io::Tasks& tasks_;
    Post post_;
    wire::TaskData data_;
    Control control_;
    std::optional<OpId> abandoned_;
};

}  // namespace mysos::executor
