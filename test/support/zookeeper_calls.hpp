#pragma once

#include "common/io/zookeeper.hpp"
#include "test/support/run.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace mysos::test {

/// A ZooKeeper client whose calls block. What must work and does not is thrown about.
///
/// Its loop only runs during a call, so its session may expire between two; then it has another.
class ZookeeperCalls {
    template <class Call>
    auto ask(const Call& call)
    {
        auto answer = run(context_, call());
        while (!answer && answer.error() == zookeeper::Errc::session_expired) {
            auto again = run(context_, call());
            answer = std::move(again);
        }
        return answer;
    }

  public:
    explicit ZookeeperCalls(const std::string& url) : client_{context_.get_executor(), config(url)}
    {}

    /// Makes a node, and those above it.
    void create(const std::string& path, const std::string& data)
    {
        ask([&] { return client_.ensure_path(path.substr(0, path.rfind('/'))); }).value();
        const auto mode = zookeeper::CreateMode::persistent;
        (void)ask([&] { return client_.create(path, data, mode); }).value();
    }
    void set(const std::string& path, const std::string& data)
    {
        (void)ask([&] { return client_.set(path, data, zookeeper::any_version); }).value();
    }
    void remove(const std::string& path)
    {
        ask([&] { return client_.remove(path, zookeeper::any_version); }).value();
    }
    [[nodiscard]] zookeeper::Node read(const std::string& path)
    {
        return ask([&] { return client_.get(path); }).value();
    }
    [[nodiscard]] bool exists(const std::string& path)
    {
        return ask([&] { return client_.exists(path); }).value().has_value();
    }
    void wait_until_gone(const std::string& path)
    {
        for (;;) {
            auto there = ask([&] { return client_.exists_and_watch(path); }).value();
            if (!there.value) return;
            (void)run(context_, there.watch.fired());
        }
    }
    /// Waits for the next change of a node that is there.
    void wait_until_changed(const std::string& path)
    {
        const auto before = read(path).stat.version;
        for (;;) {
            auto seen = ask([&] { return client_.get_and_watch(path); }).value();
            if (seen.value.stat.version != before) return;
            (void)run(context_, seen.watch.fired());
        }
    }
    /// None of a node that is not there.
    [[nodiscard]] std::vector<std::string> children(const std::string& path)
    {
        const auto found = ask([&] { return client_.children(path); });
        return found ? *found : std::vector<std::string>{};
    }
    /// Path and data of every node from `path` down. What goes meanwhile is left out.
    [[nodiscard]] std::string everything(const std::string& path)
    {
        const auto node = ask([&] { return client_.get(path); });
        if (!node) return {};
        std::string all = path + "\n" + node->data + "\n";
        for (const std::string& child : children(path)) {
            all += everything((path == "/" ? "" : path) + "/" + child);
        }
        return all;
    }

  private:
    static zookeeper::Config config(const std::string& url)
    {
        zookeeper::Config made;
        made.url = parse_zk_url(url).value();
        return made;
    }

    boost::asio::io_context context_{1};
    zookeeper::Client client_;
};

}  // namespace mysos::test
