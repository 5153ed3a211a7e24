#pragma once

#include "common/base/result.hpp"
#include "common/cluster/record.hpp"
#include "common/io/zookeeper.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_category.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace mysos::scheduler {

/// Why the state could not be read or kept. None of them leaves a record half written.
enum class StoreErrc {
    deposed = 1,  ///< Our candidate's node is gone: another scheduler leads, or may. End.
    conflict,     ///< Somebody else wrote the record, against the rules. End; a person has to look.
    locked,       ///< Another scheduler uses the directory. A person gave two the same one.
};
[[nodiscard]] const boost::system::error_category& store_category() noexcept;
[[nodiscard]] inline ErrorCode make_error_code(StoreErrc e) noexcept
{
    return {static_cast<int>(e), store_category()};
}

/// Where the scheduler's records rest: opaque bytes under names.
///
/// Shape:  keys are "framework" and "clusters/<name>".
/// Errors: StoreErrc; of the directory also the system's (no space left, …); of ZooKeeper
///         zookeeper::Errc::closed, not_authorized, bad_arguments (a record above 1 MB). While
///         ZooKeeper does not answer, a call waits: until it does, or our session is lost
///         (deposed).
/// Use:    load() first, once. One call at a time.
class StateStore {
  public:
    using Records = std::map<std::string, std::string>;

    StateStore() = default;
    StateStore(const StateStore&) = delete;
    StateStore& operator=(const StateStore&) = delete;
    virtual ~StateStore() = default;

    [[nodiscard]] virtual boost::asio::awaitable<Result<Records>> load() = 0;
    /// Success: it is durable, and was written by us while we led.
    [[nodiscard]] virtual boost::asio::awaitable<ErrorCode> save(
        std::string key, std::string bytes) = 0;
    /// Success also when there was none.
    [[nodiscard]] virtual boost::asio::awaitable<ErrorCode> remove(std::string key) = 0;
    /// The file or znode of a key, as a person would look for it. No credentials.
    [[nodiscard]] virtual std::string place(const std::string& key) const = 0;
};

inline constexpr const char* framework_key = "framework";
[[nodiscard]] std::string cluster_key(const std::string& name);

/// Znodes below `<zk>/state`. Each write is one multi that also checks `candidate`, the path of our
/// own node in the election, and the version read or written last: a scheduler that was deposed in
/// the meantime cannot write, even when it does not know. The client must outlive the store.
[[nodiscard]] std::unique_ptr<StateStore> make_zookeeper_store(
    zookeeper::Client& client, std::string candidate);

/// Files below `directory`, which is made where missing and locked against a second scheduler.
/// A record is written beside its old form and then takes its name, each step on the disk before
/// the next: a crash or a full disk leaves the old one.
[[nodiscard]] Result<std::unique_ptr<StateStore>> make_local_store(
    const std::filesystem::path& directory);

/// All that was stored, understood.
struct Recovery {
    cluster::FrameworkRecord framework;       ///< Empty when nothing was ever stored.
    std::vector<cluster::Record> clusters;    ///< Of the names in `framework` those with a record.
    std::vector<std::string> unknown_places;  ///< Records that no name stands for: left alone.
};

/// Loads and decodes. Errors: the store's; Errc::state_unreadable, and then `fault` says which file
/// or znode it is and why. Nothing is ever changed.
[[nodiscard]] boost::asio::awaitable<Result<Recovery>> recover(
    StateStore& store, std::string& fault);

}  // namespace mysos::scheduler

template <>
struct boost::system::is_error_code_enum<mysos::scheduler::StoreErrc> : std::true_type {};
