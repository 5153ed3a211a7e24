#include "scheduler/in/rest_api.hpp"

#include "scheduler/in/executor_streams.hpp"
#include "scheduler/in/rest_reply.hpp"
#include "scheduler/in/rest_v1.hpp"
#include "scheduler/in/rest_view.hpp"
#include "scheduler/out/metrics.hpp"
#include "scheduler/web/web.hpp"

#include <utility>
#include <variant>

namespace mysos::scheduler {
namespace {

using namespace std::chrono_literals;

constexpr Duration answer_max = 20s;

bool is_cotton(Route route)
{
    return route == Route::create_cluster || route == Route::delete_cluster;
}

/// Answered whether or not this scheduler leads.
bool is_about_process(Route route)
{
    return route == Route::dashboard || route == Route::alive || route == Route::ready ||
           route == Route::openapi || route == Route::cotton_metrics ||
           route == Route::prometheus_metrics;
}

io::Reply embedded(const char* type, std::string_view content)
{
    io::Reply reply;
    reply.headers.set("Content-Type", type);
    reply.headers.set("Cache-Control", "no-cache");
    reply.headers.set("X-Content-Type-Options", "nosniff");
    reply.headers.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    reply.body = content;
    return reply;
}

io::Reply not_leading(Route route, const std::string& why)
{
    io::Reply reply = is_cotton(route) ? plain(503, why) : problem(503, why);
    reply.headers.set("Retry-After", "5");
    return reply;
}

io::Reply not_answered(const std::string& name)
{
    return plain(
        503,
        "the request is not decided yet and may still be carried out; see GET /v1/clusters/" +
            name);
}

}  // namespace

RestApi::RestApi(const asio::any_io_executor& executor, RestPorts ports)
    : ports_{std::move(ports)}, started_at_{Clock::now()}, unanswered_{executor}
{}

void RestApi::answer(const Reply& effect)
{
    // Nobody there: the client was told that it takes long.
    (void)unanswered_.resolve(effect.request, effect.answer);
}

io::Awaitable<io::Reply> RestApi::handle(io::Request request)
{
    const Routed routed = route(request.method, request.path());
    if (const auto* wrong = std::get_if<WrongMethod>(&routed)) {
        io::Reply reply = problem(405, "use " + wrong->allow + " here");
        reply.headers.set("Allow", wrong->allow);
        co_return reply;
    }
    if (std::holds_alternative<NoSuchPath>(routed)) {
        co_return problem(404, "there is nothing here; /v1/openapi.json lists what there is");
    }
    if (std::holds_alternative<BadPath>(routed)) {
        co_return problem(400, "the path has a '%' without two hex digits after it");
    }
    Found found = std::get<Found>(routed);
    if (!is_about_process(found.route)) {
        if (const std::string why = ports_.why_not(); !why.empty()) {
            co_return not_leading(found.route, why);
        }
    }
    co_return co_await serve(std::move(found), std::move(request));
}

io::Awaitable<io::Reply> RestApi::serve(Found found, io::Request request)
{
    if (found.route == Route::executor_stream) {
        co_return co_await ports_.streams->open(std::move(request));
    }
    if (found.route == Route::executor_call) co_return ports_.streams->call(request);
    if (found.route == Route::create_cluster) {
        auto read = read_create(found.cluster, request);
        if (auto* reply = std::get_if<io::Reply>(&read)) co_return std::move(*reply);
        co_return co_await create(std::get<CreateCall>(std::move(read)));
    }
    if (found.route == Route::delete_cluster) {
        auto read = read_delete(request);
        if (auto* reply = std::get_if<io::Reply>(&read)) co_return std::move(*reply);
        co_return co_await remove(std::move(found.cluster), std::get<DeleteCall>(std::move(read)));
    }
    if (found.route == Route::change_cluster) {
        auto read = read_patch(request);
        if (auto* reply = std::get_if<io::Reply>(&read)) co_return std::move(*reply);
        co_return co_await change(std::move(found.cluster), std::get<PatchCall>(read));
    }
    if (found.route == Route::switch_over || found.route == Route::force) {
        auto read = read_member_call(request);
        if (auto* reply = std::get_if<io::Reply>(&read)) co_return std::move(*reply);
        const MemberCall call = std::get<MemberCall>(read);
        if (found.route == Route::force) co_return co_await force(std::move(found.cluster), call);
        co_return co_await switch_over(std::move(found.cluster), call);
    }
    co_return look(found);
}

io::Awaitable<io::Reply> RestApi::create(CreateCall call)
{
    Secrets secrets;
    secrets.cluster_password = call.password ? *call.password : draw_password();
    secrets.admin_password = draw_password();
    secrets.seed = draw_seed();
    const std::string name = call.form.name;

    CreateRequested requested;
    requested.request = next_id();
    requested.form = std::move(call.form);
    requested.uuid = draw_uuid();
    requested.sealed_secrets = ports_.box->seal(secrets);
    const RequestId id = requested.request;
    ports_.post(std::move(requested));
    const std::optional<Answer> answer = co_await unanswered_.wait(id, answer_max);
    if (!answer) co_return not_answered(name);
    if (const auto* refused = std::get_if<Refused>(&*answer)) co_return refusal(*refused);

    nlohmann::json body{
        {"cluster_url", cluster_url(ports_.zk_url, name)},
        {"cluster_password", secrets.cluster_password}};
    const auto& clusters = ports_.state().clusters;
    const auto made = clusters.find(name);
    const bool is_async =
        made != clusters.end() && made->second.record.durability == cluster::Durability::async;
    if (is_async) {
        body["warning"] = "commits wait for nobody: a failover may lose what was committed last";
    } else if (made != clusters.end() && made->second.record.num_nodes == 2) {
        const bool goes_alone =
            made->second.record.two_node_policy == cluster::TwoNodePolicy::available;
        body["warning"] =
            goes_alone
                ? "of two members one goes on alone while the other is down: what it acknowledges "
                  "then is lost if it is lost as well; three need not go on alone"
                : "of two members both must hold a commit, so writes wait while one of them is "
                  "down; three do not have to wait, and nor do two with two_node_policy=available";
    }
    co_return json_reply(200, body);
}

io::Awaitable<io::Reply> RestApi::remove(std::string name, DeleteCall call)
{
    DeleteRequested requested;
    requested.request = next_id();
    requested.name = name;
    requested.password = compare(name, call);
    const RequestId id = requested.request;
    ports_.post(std::move(requested));
    const std::optional<Answer> answer = co_await unanswered_.wait(id, answer_max);
    if (!answer) co_return not_answered(name);
    if (const auto* refused = std::get_if<Refused>(&*answer)) co_return refusal(*refused);
    const nlohmann::json body{{"cluster_url", cluster_url(ports_.zk_url, name)}};
    co_return json_reply(200, body);
}

template <class Requested>
io::Awaitable<io::Reply> RestApi::ask(std::string name, Requested requested)
{
    const RequestId id = next_id();
    requested.request = id;
    requested.name = name;
    ports_.post(std::move(requested));
    const std::optional<Answer> answer = co_await unanswered_.wait(id, answer_max);
    if (!answer) co_return not_answered(name);
    if (const auto* refused = std::get_if<Refused>(&*answer)) co_return refused_problem(*refused);
    co_return show(name);
}

io::Awaitable<io::Reply> RestApi::change(std::string name, PatchCall call)
{
    ScaleRequested requested;
    requested.num_nodes = call.num_nodes;
    co_return co_await ask(std::move(name), std::move(requested));
}

io::Awaitable<io::Reply> RestApi::switch_over(std::string name, MemberCall call)
{
    SwitchoverRequested requested;
    requested.to = call.to;
    co_return co_await ask(std::move(name), std::move(requested));
}

io::Awaitable<io::Reply> RestApi::force(std::string name, MemberCall call)
{
    ForceRequested requested;
    requested.to = call.to;
    co_return co_await ask(std::move(name), std::move(requested));
}

Password RestApi::compare(const std::string& name, const DeleteCall& call) const
{
    if (!call.password) return Password::missing;
    const auto& clusters = ports_.state().clusters;
    const auto found = clusters.find(name);
    if (found == clusters.end()) return Password::wrong;
    const Result<Secrets> secrets = ports_.box->open(found->second.record.sealed_secrets);
    if (!secrets) return Password::wrong;
    return equal_secrets(secrets->cluster_password, *call.password) ? Password::right
                                                                    : Password::wrong;
}

io::Reply RestApi::show(const std::string& name) const
{
    const auto& clusters = ports_.state().clusters;
    const auto found = clusters.find(name);
    if (found == clusters.end()) return problem(404, "there is no cluster '" + name + "'");
    return json_reply(
        200, cluster_view(found->second, ports_.zk_url, ports_.diagnosis, Clock::now()));
}

io::Reply RestApi::ready() const
{
    if (const std::string why = ports_.why_not(); !why.empty()) return problem(503, why);
    if (ports_.state().subscription != Subscription::subscribed) {
        return problem(503, "the scheduler is not connected to Mesos");
    }
    return json_reply(200, {{"status", "ready"}});
}

io::Reply RestApi::look(const Found& found) const
{
    const TimePoint now = Clock::now();
    switch (found.route) {
        case Route::dashboard: return embedded("text/html; charset=utf-8", web::dashboard_html);
        case Route::openapi: return embedded("application/json", web::openapi_json);
        case Route::alive: return json_reply(200, {{"status", "alive"}});
        case Route::ready: return ready();
        case Route::cotton_metrics:
            return json_reply(200, cotton_metrics(ports_.state(), now - started_at_));
        case Route::prometheus_metrics: {
            io::Reply reply = plain(200, prometheus_metrics(ports_.state(), now - started_at_));
            reply.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
            reply.body.pop_back();  // The text ends its own last line.
            return reply;
        }
        case Route::list_clusters:
            return json_reply(
                200, clusters_view(ports_.state(), ports_.zk_url, ports_.diagnosis, now));
        case Route::show_cluster: return show(found.cluster);
        case Route::create_cluster:
        case Route::delete_cluster:
        case Route::change_cluster:
        case Route::switch_over:
        case Route::force:
        case Route::executor_stream:
        case Route::executor_call: break;  // Served before.
    }
    return problem(404, "there is nothing here");
}

}  // namespace mysos::scheduler
