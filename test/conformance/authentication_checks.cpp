#include "test/conformance/suite.hpp"

namespace mysos::conformance {
namespace {

Request subscribe_as(const Options& o, const std::string& authorization, const Json& principal)
{
    Json info = default_info(o);
    info["failover_timeout"] = 0.0;
    info.erase("principal");
    if (!principal.is_null()) info["principal"] = principal;
    Request request = json_request("/api/v1/scheduler", subscribe_call(info));
    if (!authorization.empty()) request.headers.emplace("Authorization", authorization);
    return request;
}

std::string basic(const Options& o)
{
    return base64(o.principal + ":" + o.secret);
}

void unauthorized(const Options& o, const std::string& authorization, const std::string& what)
{
    const Response response = fetch(o.master, subscribe_as(o, authorization, nullptr));
    require_equal(response.status, 401, what);
    require_equal(
        response.header("www-authenticate"),
        std::string{"Basic realm=\"mesos-master-scheduler\""},
        "WWW-Authenticate");
}

void other_principal(const Options& o)
{
    const Request wrong = subscribe_as(o, "Basic " + basic(o), o.principal + "-other");
    require_equal(fetch(o.master, wrong).status, 400, "another principal in framework_info");
    const Request none = subscribe_as(o, "Basic " + basic(o), nullptr);
    require_equal(RecordStream(o.master, none).head().status, 200, "none in framework_info");
}

void ignored_when_open(const Options& o)
{
    const Request request = subscribe_as(o, "Basic " + base64("who:cares"), nullptr);
    require_equal(RecordStream(o.master, request).head().status, 200, "with an idle header");
}

}  // namespace

void add_authentication_checks(std::vector<Check>& checks)
{
    const auto add = [&](int number, const char* name, Needs needs, auto run) {
        checks.push_back({number, name, needs, run});
    };
    add(18, "without credentials: 401 and the realm", Needs::credentials, [](const Options& o) {
        unauthorized(o, "", "no Authorization");
    });
    add(19,
        "`basic` in lower case, or two spaces, is 401",
        Needs::credentials,
        [](const Options& o) {
            unauthorized(o, "basic " + basic(o), "lower case");
            unauthorized(o, "Basic  " + basic(o), "two spaces");
        });
    add(20,
        "a wrong secret, or one with a colon, is 401",
        Needs::credentials,
        [](const Options& o) {
            unauthorized(o, "Basic " + base64(o.principal + ":no" + o.secret), "wrong secret");
            unauthorized(o, "Basic " + base64(o.principal + ":" + o.secret + ":x"), "colon");
        });
    add(21,
        "another principal in framework_info is 400, none is taken from the credentials",
        Needs::credentials,
        other_principal);
    add(23,
        "on an open master an Authorization header is ignored",
        Needs::no_credentials,
        ignored_when_open);
}

}  // namespace mysos::conformance
