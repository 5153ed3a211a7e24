#pragma once

#include <string>
#include <string_view>
#include <variant>

/// Which request wants what. Pure.
namespace mysos::scheduler {

enum class Route {
    dashboard,
    cotton_metrics,
    prometheus_metrics,
    alive,
    ready,
    openapi,
    list_clusters,
    show_cluster,
    change_cluster,
    switch_over,
    force,
    create_cluster,  ///< Cotton's.
    delete_cluster,  ///< Cotton's.
    executor_stream,
    executor_call,
};

struct Found {
    Route route{};
    std::string cluster;  ///< Of the routes that name one; decoded, not checked.
    friend bool operator==(const Found&, const Found&) = default;
};
struct NoSuchPath {
    friend bool operator==(const NoSuchPath&, const NoSuchPath&) = default;
};
struct WrongMethod {
    std::string allow;  ///< What the Allow field says.
    friend bool operator==(const WrongMethod&, const WrongMethod&) = default;
};
struct BadPath {  ///< An escape in the cluster's name is malformed.
    friend bool operator==(const BadPath&, const BadPath&) = default;
};
using Routed = std::variant<Found, NoSuchPath, WrongMethod, BadPath>;

/// Finds the route of a request. All that follows /clusters/ is the cluster's name, slashes too, so
/// that a name with a slash is refused as a bad name and not as an unknown path.
[[nodiscard]] Routed route(std::string_view method, std::string_view path);

}  // namespace mysos::scheduler
