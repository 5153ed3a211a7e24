#include "common/io/http.hpp"

#include "common/io/errc.hpp"
#include "common/io/http_request.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;
using io::Endpoint;
using io::Errc;
using io::Headers;
using Scheme = Endpoint::Scheme;

TEST_CASE("http: names of headers have no case", "[http]")
{
    Headers headers{{"Accept", "a"}, {"X", "1"}};
    headers.add("x", "2");
    CHECK(headers.find("ACCEPT") == "a");
    CHECK(headers.find("X") == "1");
    CHECK(headers.find("Y").empty());
    CHECK(!headers.contains("Y"));
    headers.set("x", "3");
    CHECK(headers == Headers{{"Accept", "a"}, {"x", "3"}});
}

TEST_CASE("http: an endpoint is host and port, perhaps with a scheme", "[http]")
{
    struct Case {
        std::string text;
        Endpoint endpoint;
        std::string authority;
    };
    const std::vector<Case> good{
        {"m1:5050", {Scheme::http, "m1", 5050}, "m1:5050"},
        {"http://m1:5050/", {Scheme::http, "m1", 5050}, "m1:5050"},
        {"https://10.0.0.1:1", {Scheme::https, "10.0.0.1", 1}, "10.0.0.1:1"},
        {"[::1]:65535", {Scheme::http, "::1", 65535}, "[::1]:65535"},
        {"unix:/var/run/agent", {Scheme::unix_socket, "/var/run/agent", 0}, "localhost"},
    };
    for (const Case& c : good) {
        INFO(c.text);
        REQUIRE(io::parse_endpoint(c.text).has_value());
        CHECK(*io::parse_endpoint(c.text) == c.endpoint);
        CHECK(c.endpoint.authority() == c.authority);
    }
    for (const std::string text :
         {"",
          "m1",
          "m1:",
          ":5050",
          "m1:0",
          "m1:65536",
          "m1:5x",
          "m1:-1",
          "::1:5050",
          "[m1]:1",
          "a b:1",
          "a/b:1",
          "u@h:1",
          "http://m1:1/x",
          "ftp://m1:1",
          "unix:",
          "a\r\nX:1"}) {
        INFO(text);
        CHECK(io::parse_endpoint(text).error() == Errc::address_malformed);
    }
}

TEST_CASE("http: a redirect keeps what Location does not say, and refuses what is unsafe", "[http]")
{
    const Endpoint plain{Scheme::http, "m1", 5050};
    const Endpoint secure{Scheme::https, "m1", 5050};
    struct Case {
        Endpoint from;
        std::string location;
        Endpoint to;
        std::string target;
    };
    const std::vector<Case> good{
        {plain, "//m2:5051/x/y?z", {Scheme::http, "m2", 5051}, "/x/y?z"},
        {secure, "//m2:5051/x", {Scheme::https, "m2", 5051}, "/x"},
        {plain, "http://m2:5051", {Scheme::http, "m2", 5051}, "/"},
        {plain, "https://m2/x", {Scheme::https, "m2", 443}, "/x"},
        {plain, "//m2?q", {Scheme::http, "m2", 80}, "/?q"},
        {plain, "//[::1]/x", {Scheme::http, "::1", 80}, "/x"},
        {secure, "/x", secure, "/x"},
    };
    for (const Case& c : good) {
        INFO(c.location);
        const auto redirect = io::redirected(c.from, c.location);
        REQUIRE(redirect.has_value());
        CHECK(redirect->endpoint == c.to);
        CHECK(redirect->target == c.target);
    }
    for (const std::string location :
         {"", "x", "//", "///x", "//m2:x/", "ftp://m2/", "//m2/a b", "//m2/\r\nX: y"}) {
        INFO(location);
        CHECK(io::redirected(plain, location).error() == Errc::redirect_refused);
    }
    CHECK(io::redirected(secure, "http://m1:5050/").error() == Errc::redirect_refused);
    const Endpoint local{Scheme::unix_socket, "/s", 0};
    CHECK(io::redirected(local, "//m2:1/").error() == Errc::redirect_refused);
}

TEST_CASE("http: credentials are written as the field's value", "[http]")
{
    CHECK(
        io::basic_authorization("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(io::bearer_authorization("t.o.k") == "Bearer t.o.k");
}

TEST_CASE("http: every error of common/io says what it is", "[http]")
{
    for (int value = 1; value <= static_cast<int>(Errc::file_unreadable); ++value) {
        CHECK(io::category().message(value).find("unknown") == std::string::npos);
    }
    CHECK(io::category().message(999) == "unknown io error 999");
}
