#include "scheduler/in/routes.hpp"

#include "common/wire/form.hpp"

#include <array>

namespace mysos::scheduler {
namespace {

enum class Path { exact, then_cluster };

struct Entry {
    Path kind;
    std::string_view path;
    std::string_view method;
    Route route;
    std::string_view action = {};  ///< After the cluster's name.
};

constexpr std::array entries{
    Entry{Path::exact, "/", "GET", Route::dashboard},
    Entry{Path::exact, "/vars.json", "GET", Route::cotton_metrics},
    Entry{Path::exact, "/metrics", "GET", Route::prometheus_metrics},
    Entry{Path::exact, "/healthz", "GET", Route::alive},
    Entry{Path::exact, "/readyz", "GET", Route::ready},
    Entry{Path::exact, "/v1/openapi.json", "GET", Route::openapi},
    Entry{Path::exact, "/v1/clusters", "GET", Route::list_clusters},
    Entry{Path::then_cluster, "/v1/clusters/", "GET", Route::show_cluster},
    Entry{Path::then_cluster, "/v1/clusters/", "PATCH", Route::change_cluster},
    Entry{Path::then_cluster, "/v1/clusters/", "POST", Route::switch_over, "/switchover"},
    Entry{Path::then_cluster, "/v1/clusters/", "POST", Route::force, "/force"},
    Entry{Path::then_cluster, "/clusters/", "POST", Route::create_cluster},
    Entry{Path::then_cluster, "/clusters/", "DELETE", Route::delete_cluster},
    Entry{Path::exact, "/executor/v1/stream", "POST", Route::executor_stream},
    Entry{Path::exact, "/executor/v1/call", "POST", Route::executor_call},
};

/// What an entry of these paths acts on is no part of a cluster's name.
std::string_view action_of(const Entry& entry, std::string_view path)
{
    for (const Entry& other : entries) {
        const bool has_action = !other.action.empty() && other.path == entry.path;
        if (has_action && path.ends_with(other.action)) return other.action;
    }
    return {};
}

bool matches(const Entry& entry, std::string_view path)
{
    if (entry.kind == Path::exact) return path == entry.path;
    if (!path.starts_with(entry.path)) return false;
    return action_of(entry, path.substr(entry.path.size())) == entry.action;
}

}  // namespace

Routed route(std::string_view method, std::string_view path)
{
    std::string allow;
    for (const Entry& entry : entries) {
        if (!matches(entry, path)) continue;
        if (method != entry.method) {
            allow += (allow.empty() ? "" : ", ") + std::string{entry.method};
            continue;
        }
        if (entry.kind == Path::exact) return Found{entry.route, {}};
        std::string_view rest = path.substr(entry.path.size());
        rest.remove_suffix(entry.action.size());
        Result<std::string> name = wire::percent_decode(rest);
        if (!name) return BadPath{};
        return Found{entry.route, std::move(*name)};
    }
    if (allow.empty()) return NoSuchPath{};
    return WrongMethod{std::move(allow)};
}

}  // namespace mysos::scheduler
