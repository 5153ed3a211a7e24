#pragma once

#include "common/io/offload.hpp"
#include "common/io/tasks.hpp"
#include "common/wire/task_data.hpp"
#include "executor/control/server_control.hpp"
#include "executor/decide/effect.hpp"
#include "executor/install/installer.hpp"
#include "executor/post.hpp"
#include "executor/rebuild/peer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>

namespace mysos::executor {

/// Replaces a member's data by another member's, one step after the other as the machine orders
/// them, and posts what came of each: what the step gives, or OpFailed.
///
/// Lifetime: must outlive its tasks. Thread: the event loop's; what blocks runs on the pool.
class Rebuilds {
  public:
    Rebuilds(
        boost::asio::any_io_executor executor,
        io::Offload& offload,
        io::Tasks& tasks,
        std::uint32_t mb_per_second,
        Post post);

    struct Member {
        wire::TaskData data;
        std::string volume;  ///< Absolute, without symbolic links.
        std::string log_path;
    };
    void begin(Member member) { member_ = std::move(member); }
    void use_token(std::string token) { token_ = std::move(token); }
    /// What the next step works with.
    void use(const ServerPrograms& programs, std::shared_ptr<ServerControl> control);

    void start(const SaveErrant& order);
    void start(const ReplaceData& order);
    void start(const CloneData& order);
    void start(const FinishRebuild& order);
    /// A copy on its way is given up at once, all else when its step is done.
    void abandon(OpId op);

  private:
    struct Copy;

    [[nodiscard]] io::Awaitable<void> save(SaveErrant order);
    [[nodiscard]] io::Awaitable<void> replace(ReplaceData order);
    [[nodiscard]] io::Awaitable<Outcome<void>> receive(ReplaceData order);
    [[nodiscard]] io::Awaitable<void> clone(CloneData order);
    [[nodiscard]] io::Awaitable<void> watch_growth(std::shared_ptr<Copy> copy);
    [[nodiscard]] io::Awaitable<void> finish(FinishRebuild order);
    [[nodiscard]] io::Awaitable<Outcome<PeerFacts>> ask_donor(control::Rebuild order);
    [[nodiscard]] Peer peer_of(const control::Rebuild& order) const;
    [[nodiscard]] bool is_mysql() const { return member_.data.flavor == "mysql"; }
    void fail(OpId op, const Failure& failure);
    void tell_progress(Copy& copy, std::uint64_t bytes);

    boost::asio::any_io_executor executor_;
    io::Offload& offload_;
    io::Tasks& tasks_;
    std::uint32_t mb_per_second_;
    Post post_;
    Member member_;
    std::string token_;  ///< Secret.
    ServerPrograms programs_;
    std::shared_ptr<ServerControl> control_;
    PeerFacts donor_;  ///< As it was just before its data were fetched.
    std::shared_ptr<io::ResponseStream> stream_;
    OpId streaming_{};
    std::optional<OpId> abandoned_;
};

}  // namespace mysos::executor
