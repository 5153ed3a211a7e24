#pragma once

#include "common/base/time.hpp"
#include "common/io/http_server.hpp"
#include "scheduler/decide/effect.hpp"
#include "scheduler/decide/input.hpp"
#include "scheduler/decide/state.hpp"
#include "scheduler/in/pending.hpp"
#include "scheduler/in/rest_cotton.hpp"
#include "scheduler/in/rest_v1.hpp"
#include "scheduler/in/routes.hpp"
#include "scheduler/secrets.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mysos::scheduler {

namespace asio = boost::asio;

class ExecutorStreams;

/// What the API needs of the rest of the program. Each outlives the API.
struct RestPorts {
    std::function<void(Input)> post;
    std::function<const State&()> state;
    /// Why `state` is not there yet or not ours, and where the leader is; empty: it is ours.
    std::function<std::string()> why_not;
    SecretBox* box = nullptr;
    ExecutorStreams* streams = nullptr;
    std::string zk_url;  ///< Without credentials.
    diagnosis::Config diagnosis;
};

/// Answers every HTTP request of the scheduler: people, Cotton's clients, monitoring, executors.
///
/// What changes something becomes an input and is answered by the effect that says what was
/// decided, after it is durable; what only looks is answered from the state.
///
/// Use on the thread of `executor` only. Must outlive its coroutines.
class RestApi {
  public:
    RestApi(const asio::any_io_executor& executor, RestPorts ports);

    [[nodiscard]] io::Awaitable<io::Reply> handle(io::Request request);

    /// The effect that answers a request.
    void answer(const Reply& effect);

  private:
    [[nodiscard]] io::Awaitable<io::Reply> serve(Found found, io::Request request);
    [[nodiscard]] io::Awaitable<io::Reply> create(CreateCall call);
    [[nodiscard]] io::Awaitable<io::Reply> change(std::string name, PatchCall call);
    [[nodiscard]] io::Awaitable<io::Reply> switch_over(std::string name, MemberCall call);
    [[nodiscard]] io::Awaitable<io::Reply> force(std::string name, MemberCall call);
    /// The cluster as it is then, or why it was refused.
    template <class Requested>
    [[nodiscard]] io::Awaitable<io::Reply> ask(std::string name, Requested requested);
    [[nodiscard]] io::Awaitable<io::Reply> remove(std::string name, DeleteCall call);
    [[nodiscard]] io::Reply look(const Found& found) const;
    [[nodiscard]] io::Reply show(const std::string& name) const;
    [[nodiscard]] io::Reply ready() const;
    [[nodiscard]] Password compare(const std::string& name, const DeleteCall& call) const;
    [[nodiscard]] RequestId next_id() { return RequestId{++last_id_}; }

    RestPorts ports_;
    TimePoint started_at_;
    std::uint64_t last_id_ = 0;
    Pending<RequestId, Answer> unanswered_;
};

}  // namespace mysos::scheduler
