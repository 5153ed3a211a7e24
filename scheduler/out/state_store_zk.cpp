#include "common/base/expects.hpp"
#include "common/io/log.hpp"
#include "scheduler/out/state_store.hpp"

#include <optional>
#include <utility>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;
using zookeeper::Access;
using zookeeper::CreateMode;
using zookeeper::MultiOutcome;
using zookeeper::Op;
using zookeeper::Version;
using ZkErrc = zookeeper::Errc;

/// The answer was lost, or the ensemble cannot be reached just now. Our session may live on.
bool may_pass(ErrorCode error)
{
    return error == ZkErrc::connection_lost || error == ZkErrc::not_connected ||
           error == ZkErrc::timed_out;
}

/// With the session went our candidate.
ErrorCode verdict(ErrorCode error)
{
    if (error == ZkErrc::session_expired || error == ZkErrc::auth_failed) return StoreErrc::deposed;
    return error;
}

class ZookeeperStore final : public StateStore {
  public:
    ZookeeperStore(zookeeper::Client& client, std::string candidate)
        : client_{client}, candidate_{std::move(candidate)}, path_{client.url().path + "/state"}
    {}

    asio::awaitable<Result<Records>> load() override;
    asio::awaitable<ErrorCode> save(std::string key, std::string bytes) override;
    asio::awaitable<ErrorCode> remove(std::string key) override;

    [[nodiscard]] std::string place(const std::string& key) const override
    {
        ZkUrl url = client_.url();
        url.path = node(key);
        return print(url);
    }

  private:
    [[nodiscard]] std::string node(const std::string& key) const { return path_ + "/" + key; }
    [[nodiscard]] asio::awaitable<ErrorCode> load_all(Records& records);
    [[nodiscard]] asio::awaitable<ErrorCode> load_one(Records& records, std::string key);
    [[nodiscard]] asio::awaitable<Result<MultiOutcome>> write(Op op, bool& lost);
    [[nodiscard]] asio::awaitable<Result<std::optional<Version>>> settle(
        std::string key, std::string bytes);

    zookeeper::Client& client_;
    std::string candidate_;
    std::string path_;
    bool loaded_ = false;
    std::map<std::string, Version> versions_;  ///< As read or written last, of what there is.
};

asio::awaitable<Result<StateStore::Records>> ZookeeperStore::load()
{
    for (;;) {
        Records records;
        const ErrorCode error = co_await load_all(records);
        loaded_ = !error;
        if (!error) co_return records;
        if (!may_pass(error)) co_return verdict(error);
        log::logger("state")->warn("cannot be read yet error={}", error.message());
    }
}

asio::awaitable<ErrorCode> ZookeeperStore::load_all(Records& records)
{
    versions_.clear();
    const Result<void> path = co_await client_.ensure_path(path_ + "/clusters");
    if (!path) co_return path.error();
    // Nothing that the scheduler before us wrote may be missed.
    const Result<void> synced = co_await client_.sync(path_);
    if (!synced) co_return synced.error();
    const auto names = co_await client_.children(path_ + "/clusters");
    if (!names) co_return names.error();
    std::vector<std::string> keys{framework_key};
    for (const std::string& name : *names) keys.push_back(cluster_key(name));
    for (const std::string& key : keys) {
        const ErrorCode error = co_await load_one(records, key);
        if (error) co_return error;
    }
    co_return ErrorCode{};
}

asio::awaitable<ErrorCode> ZookeeperStore::load_one(Records& records, std::string key)
{
    auto node_read = co_await client_.get(node(key));
    if (!node_read && node_read.error() == ZkErrc::no_node) co_return ErrorCode{};
    if (!node_read) co_return node_read.error();
    versions_[key] = node_read->stat.version;
    records[key] = std::move(node_read->data);
    co_return ErrorCode{};
}

/// Repeats until it is answered. `lost`: an earlier try may have been carried out.
asio::awaitable<Result<MultiOutcome>> ZookeeperStore::write(Op op, bool& lost)
{
    for (;;) {
        std::vector<Op> ops;
        ops.push_back(Op::check(candidate_));
        ops.push_back(op);
        Result<MultiOutcome> outcome = co_await client_.multi(std::move(ops));
        if (outcome) {
            const bool deposed = outcome->refusal && outcome->refusal->index == 0;
            if (deposed) co_return StoreErrc::deposed;
            co_return outcome;
        }
        if (!may_pass(outcome.error())) co_return verdict(outcome.error());
        if (outcome.error() != ZkErrc::not_connected) lost = true;
        log::logger("state")->warn(
            "cannot be written yet node={} error={}", op.path(), outcome.error().message());
    }
}

asio::awaitable<ErrorCode> ZookeeperStore::save(std::string key, std::string bytes)
{
    expects(loaded_);
    const auto known = versions_.find(key);
    Op op = known == versions_.end()
                ? Op::create(node(key), bytes, CreateMode::persistent, Access::creator_only)
                : Op::set(node(key), bytes, known->second);
    bool lost = false;
    const Result<MultiOutcome> outcome = co_await write(std::move(op), lost);
    if (!outcome) co_return outcome.error();
    if (!outcome->refusal) {
        versions_[key] = outcome->results[1].version;
        co_return ErrorCode{};
    }
    const ErrorCode why = outcome->refusal->why;
    const bool overtaken =
        why == ZkErrc::bad_version || why == ZkErrc::node_exists || why == ZkErrc::no_node;
    if (!overtaken) co_return why;
    if (!lost) co_return StoreErrc::conflict;
    const Result<std::optional<Version>> settled =
        co_await settle(std::move(key), std::move(bytes));
    if (!settled) co_return settled.error();
    co_return *settled ? ErrorCode{} : make_error_code(StoreErrc::conflict);
}

/// After an answer was lost and the repetition refused: was the first carried out? The candidate
/// held in the repetition, so nobody else can have written by the rules.
asio::awaitable<Result<std::optional<Version>>> ZookeeperStore::settle(
    std::string key, std::string bytes)
{
    for (;;) {
        const auto there = co_await client_.get(node(key));
        if (there) {
            if (there->data != bytes) co_return std::optional<Version>{};
            versions_[key] = there->stat.version;
            co_return std::optional<Version>{there->stat.version};
        }
        if (there.error() == ZkErrc::no_node) co_return std::optional<Version>{};
        if (!may_pass(there.error())) co_return verdict(there.error());
    }
}

asio::awaitable<ErrorCode> ZookeeperStore::remove(std::string key)
{
    expects(loaded_);
    const auto known = versions_.find(key);
    if (known == versions_.end()) co_return ErrorCode{};
    bool lost = false;
    const Result<MultiOutcome> outcome = co_await write(Op::remove(node(key), known->second), lost);
    if (!outcome) co_return outcome.error();
    const bool gone = !outcome->refusal || (lost && outcome->refusal->why == ZkErrc::no_node);
    if (!gone) {
        const ErrorCode why = outcome->refusal->why;
        const bool overtaken = why == ZkErrc::bad_version || why == ZkErrc::no_node;
        co_return overtaken ? make_error_code(StoreErrc::conflict) : why;
    }
    versions_.erase(key);
    co_return ErrorCode{};
}

}  // namespace

std::unique_ptr<StateStore> make_zookeeper_store(zookeeper::Client& client, std::string candidate)
{
    return std::make_unique<ZookeeperStore>(client, std::move(candidate));
}

}  // namespace mysos::scheduler
