#pragma once

#include "common/base/expects.hpp"
#include "common/base/time.hpp"
#include "common/io/http.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>
#include <optional>
#include <utility>

namespace mysos::scheduler {

/// Requests that wait for what is decided about them: a coroutine waits under a key, and the effect
/// that names the key wakes it up.
///
/// Use on the thread of `executor` only. Must outlive its waits.
template <class Key, class Value>
class Pending {
  public:
    explicit Pending(io::asio::any_io_executor executor) : executor_{std::move(executor)} {}
    ~Pending() = default;
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    /// Nothing: not answered within `patience`, or cancelled. One wait a key.
    [[nodiscard]] io::Awaitable<std::optional<Value>> wait(Key key, Duration patience)
    {
        Slot slot{*this, key};
        slot.timer.expires_after(patience);
        (void)co_await slot.timer.async_wait(io::asio::as_tuple(io::asio::use_awaitable));
        co_return std::move(slot.value);
    }

    /// False: nobody waits under that key (any more).
    bool resolve(Key key, Value value)
    {
        const auto found = slots_.find(key);
        if (found == slots_.end() || found->second->value) return false;
        found->second->value = std::move(value);
        found->second->timer.cancel();
        return true;
    }

  private:
    /// Lives in the waiting coroutine and leaves the map with it, however that ends.
    struct Slot {
        Slot(Pending& owner, Key key) : pending{owner}, own_key{key}, timer{owner.executor_}
        {
            expects(pending.slots_.emplace(own_key, this).second);
        }
        ~Slot() { pending.slots_.erase(own_key); }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

        Pending& pending;
        Key own_key;
        io::asio::steady_timer timer;
        std::optional<Value> value;
    };

    io::asio::any_io_executor executor_;
    std::map<Key, Slot*> slots_;
};

}  // namespace mysos::scheduler
