#include "scheduler/in/routes.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos::scheduler;

TEST_CASE("routes: every path and method leads where the documentation says", "[rest]")
{
    struct Case {
        std::string method;
        std::string path;
        Routed routed;
    };
    const std::vector<Case> cases{
        {"GET", "/", Found{Route::dashboard, ""}},
        {"GET", "/vars.json", Found{Route::cotton_metrics, ""}},
        {"GET", "/metrics", Found{Route::prometheus_metrics, ""}},
        {"GET", "/healthz", Found{Route::alive, ""}},
        {"GET", "/readyz", Found{Route::ready, ""}},
        {"GET", "/v1/openapi.json", Found{Route::openapi, ""}},
        {"GET", "/v1/clusters", Found{Route::list_clusters, ""}},
        {"GET", "/v1/clusters/demo", Found{Route::show_cluster, "demo"}},
        {"PATCH", "/v1/clusters/demo", Found{Route::change_cluster, "demo"}},
        {"POST", "/v1/clusters/demo/switchover", Found{Route::switch_over, "demo"}},
        {"GET", "/v1/clusters/demo/switchover", WrongMethod{"POST"}},
        {"POST", "/v1/clusters/demo/force", Found{Route::force, "demo"}},
        {"DELETE", "/v1/clusters/demo/force", WrongMethod{"POST"}},
        {"POST", "/v1/clusters/demo", WrongMethod{"GET, PATCH"}},
        {"POST", "/clusters/demo", Found{Route::create_cluster, "demo"}},
        {"DELETE", "/clusters/demo", Found{Route::delete_cluster, "demo"}},
        {"POST", "/executor/v1/stream", Found{Route::executor_stream, ""}},
        {"POST", "/executor/v1/call", Found{Route::executor_call, ""}},
        // Bad names are the decision's to refuse, so they have to reach it.
        {"POST", "/clusters/", Found{Route::create_cluster, ""}},
        {"POST", "/clusters/a/b", Found{Route::create_cluster, "a/b"}},
        {"POST", "/clusters/a%2Fb", Found{Route::create_cluster, "a/b"}},
        {"POST", "/clusters/..", Found{Route::create_cluster, ".."}},
        {"POST", "/clusters/%2e%2e", Found{Route::create_cluster, ".."}},
        {"POST", "/clusters/a+b", Found{Route::create_cluster, "a+b"}},
        {"POST", "/clusters/a%", BadPath{}},
        {"GET", "/v1/clusters/%4", BadPath{}},
        {"GET", "/nothing", NoSuchPath{}},
        {"GET", "", NoSuchPath{}},
        {"POST", "/clusters", NoSuchPath{}},
        {"GET", "/v1", NoSuchPath{}},
        {"GET", "//", NoSuchPath{}},
        {"POST", "/", WrongMethod{"GET"}},
        {"PUT", "/clusters/demo", WrongMethod{"POST, DELETE"}},
        {"GET", "/clusters/demo", WrongMethod{"POST, DELETE"}},
        {"PUT", "/v1/clusters/demo", WrongMethod{"GET, PATCH"}},
        {"GET", "/executor/v1/stream", WrongMethod{"POST"}},
        {"get", "/healthz", WrongMethod{"GET"}},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.method << " " << c.path)
        {
            const Routed routed = route(c.method, c.path);
            CHECK((routed == c.routed));
        }
    }
}
