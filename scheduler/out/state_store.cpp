#include "scheduler/out/state_store.hpp"

#include "common/wire/state.hpp"
#include "scheduler/errc.hpp"

#include <string_view>
#include <utility>

namespace mysos::scheduler {
namespace {

namespace asio = boost::asio;

constexpr std::string_view clusters_prefix = "clusters/";

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "state"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<StoreErrc>(value)) {
            case StoreErrc::deposed: return "this scheduler does not lead any more";
            case StoreErrc::conflict: return "the record was changed by somebody else";
            case StoreErrc::locked: return "another scheduler uses the directory";
        }
        return "unknown state error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& store_category() noexcept
{
    static const Category instance;
    return instance;
}

std::string cluster_key(const std::string& name)
{
    return std::string{clusters_prefix} + name;
}

asio::awaitable<Result<Recovery>> recover(StateStore& store, std::string& fault)
{
    const Result<StateStore::Records> records = co_await store.load();
    if (!records) co_return records.error();
    Recovery out;
    if (const auto it = records->find(framework_key); it != records->end()) {
        Result<cluster::FrameworkRecord> framework = wire::decode_framework(it->second);
        if (!framework) {
            fault = store.place(it->first) + ": " + framework.error().message();
            co_return Errc::state_unreadable;
        }
        out.framework = std::move(*framework);
    }
    for (const auto& [key, bytes] : *records) {
        if (!key.starts_with(clusters_prefix)) continue;
        const std::string name = key.substr(clusters_prefix.size());
        if (!out.framework.clusters.contains(name)) {
            out.unknown_places.push_back(store.place(key));
            continue;
        }
        Result<cluster::Record> cluster = wire::decode_cluster(bytes);
        if (!cluster || cluster->name != name) {
            fault =
                store.place(key) + ": " +
                (cluster ? "is the record of cluster " + cluster->name : cluster.error().message());
            co_return Errc::state_unreadable;
        }
        out.clusters.push_back(std::move(*cluster));
    }
    co_return out;
}

}  // namespace mysos::scheduler
