#include "scheduler/out/zookeeper_publisher.hpp"

#include "common/base/overload.hpp"
#include "common/io/log.hpp"

#include <boost/asio/error.hpp>

#include <optional>
#include <utility>
#include <variant>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;
using zookeeper::Op;
using zookeeper::Version;

/// `relative` is as the publishing machine names nodes: "" is the top itself.
std::string full_path(const std::string& top, const std::string& relative)
{
    return relative.empty() ? top : top + "/" + relative;
}

template <class Answer>
TreeAnswered answered(const std::string& cluster, Answer answer)
{
    TreeAnswered input;
    input.cluster = cluster;
    input.answer = std::move(answer);
    return input;
}

}  // namespace

ZookeeperPublisher::ZookeeperPublisher(
    const asio::any_io_executor& executor,
    zookeeper::Client& client,
    std::string candidate,
    Post post)
    : client_{client},
      candidate_{std::move(candidate)},
      path_{client.url().path + "/discover"},
      post_{std::move(post)},
      tasks_{executor}
{}

void ZookeeperPublisher::start(const ReadTree& effect)
{
    tasks_.spawn(read(effect));
}

void ZookeeperPublisher::start(const ApplyTree& effect)
{
    tasks_.spawn(apply(effect));
}

asio::awaitable<void> ZookeeperPublisher::read(ReadTree effect)
{
    publish::TreeRead found;
    found.serial = effect.read.serial;
    const ErrorCode ec = co_await read_below(path_ + "/" + effect.cluster, found.tree);
    if (ec == asio::error::operation_aborted) co_return;
    if (!ec) {
        post_(answered(effect.cluster, std::move(found)));
        co_return;
    }
    log::logger("publish")->warn(
        "cannot be read cluster={} error={}", effect.cluster, ec.message());
    post_(answered(effect.cluster, publish::Failed{effect.read.serial}));
}

/// A node that goes away while it is read is an error: only we write here, so look again.
asio::awaitable<ErrorCode> ZookeeperPublisher::read_below(std::string top, publish::Tree& tree)
{
    // What an earlier leader wrote last must be seen.
    if (const Result<void> synced = co_await client_.sync(top); !synced) co_return synced.error();
    const auto exists = co_await client_.exists(top);
    if (!exists) co_return exists.error();
    if (!*exists) co_return ErrorCode{};

    std::vector<std::string> unread{""};
    while (!unread.empty()) {
        const std::string relative = std::move(unread.back());
        unread.pop_back();
        auto node = co_await client_.get(full_path(top, relative));
        if (!node) co_return node.error();
        publish::Node& read = tree[relative];
        read.data = std::move(node->data);
        read.version = static_cast<std::int32_t>(node->stat.version);
        if (node->stat.child_count == 0) continue;
        const auto children = co_await client_.children(full_path(top, relative));
        if (!children) co_return children.error();
        for (const std::string& child : *children) {
            std::string& next = unread.emplace_back(relative);
            if (!next.empty()) next += '/';
            next += child;
        }
    }
    co_return ErrorCode{};
}

Op ZookeeperPublisher::operation(const std::string& top, const publish::Operation& operation)
{
    return std::visit(
        Overload{
            [&](const publish::Create& create) {
                return Op::create(full_path(top, create.path), create.data);
            },
            [&](const publish::Remove& remove) {
                return Op::remove(full_path(top, remove.path), Version{remove.version});
            },
            [&](const publish::Write& write) {
                return Op::set(full_path(top, write.path), write.data, Version{write.version});
            }},
        operation);
}

asio::awaitable<void> ZookeeperPublisher::apply(ApplyTree effect)
{
    std::vector<Op> ops;
    ops.push_back(Op::check(candidate_));
    for (const publish::Operation& one : effect.apply.operations) {
        ops.push_back(operation(path_ + "/" + effect.cluster, one));
    }
    const Result<void> parent = co_await client_.ensure_path(path_);
    Result<zookeeper::MultiOutcome> outcome = ErrorCode{asio::error::operation_aborted};
    if (parent) {
        outcome = co_await client_.multi(std::move(ops));
    } else {
        outcome = parent.error();
    }
    if (outcome && !outcome->refusal) {
        post_(answered(effect.cluster, publish::Applied{effect.apply.serial}));
        co_return;
    }
    const ErrorCode ec = outcome ? outcome->refusal->why : outcome.error();
    if (ec == asio::error::operation_aborted) co_return;
    log::logger("publish")->warn(
        "cannot be changed cluster={} error={}", effect.cluster, ec.message());
    post_(answered(effect.cluster, publish::Failed{effect.apply.serial}));
}

}  // namespace mysos::scheduler
