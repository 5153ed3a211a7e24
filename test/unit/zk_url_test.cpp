#include "common/base/zk_url.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace mysos;

TEST_CASE("zk url: what Mesos and Cotton accept is understood", "[zk_url]")
{
    struct Case {
        std::string text;
        ZkUrl url;
    };
    const std::vector<Case> cases{
        {"zk://h1:2182/mysos", {{{"h1", 2182}}, "", "", "/mysos"}},
        {"zk://h1,h2:99/a/b", {{{"h1", 2181}, {"h2", 99}}, "", "", "/a/b"}},
        {"zk://u:p@h/mysos/", {{{"h", 2181}}, "u", "p", "/mysos"}},
        {"zk://u:p:@w@10.0.0.1:1/x", {{{"10.0.0.1", 1}}, "u", "p:@w", "/x"}},
        {"zk://u:@h/x", {{{"h", 2181}}, "u", "", "/x"}},
        {"zk://[::1]:5,[fe80::2]/x", {{{"::1", 5}, {"fe80::2", 2181}}, "", "", "/x"}},
    };
    for (const Case& c : cases) {
        INFO(c.text);
        const Result<ZkUrl> url = parse_zk_url(c.text);
        REQUIRE(url.has_value());
        CHECK(*url == c.url);
    }
}

TEST_CASE("zk url: what is wrong is named, and the text is not repeated", "[zk_url]")
{
    struct Case {
        std::string text;
        UrlErrc error;
    };
    const std::vector<Case> cases{
        {"", UrlErrc::scheme_missing},
        {"h:2181/mysos", UrlErrc::scheme_missing},
        {"file:///etc/zk", UrlErrc::scheme_missing},
        {"zk://", UrlErrc::server_missing},
        {"zk:///mysos", UrlErrc::server_missing},
        {"zk://u:p@/mysos", UrlErrc::server_missing},
        {"zk://user@h/mysos", UrlErrc::credentials_malformed},
        {"zk://:pw@h/mysos", UrlErrc::credentials_malformed},
        {"zk://h,/mysos", UrlErrc::host_malformed},
        {"zk://a b/mysos", UrlErrc::host_malformed},
        {"zk://:2181/mysos", UrlErrc::host_malformed},
        {"zk://[::1/mysos", UrlErrc::host_malformed},
        {"zk://[::1]5/mysos", UrlErrc::host_malformed},
        {"zk://[host]:5/mysos", UrlErrc::host_malformed},
        {"zk://h:/mysos", UrlErrc::port_malformed},
        {"zk://h:0/mysos", UrlErrc::port_malformed},
        {"zk://h:65536/mysos", UrlErrc::port_malformed},
        {"zk://h:21x/mysos", UrlErrc::port_malformed},
        {"zk://h:-1/mysos", UrlErrc::port_malformed},
        {"zk://::1/mysos", UrlErrc::host_malformed},
        {"zk://h", UrlErrc::path_missing},
        {"zk://h/", UrlErrc::path_missing},
        {"zk://h//mysos", UrlErrc::path_malformed},
        {"zk://h/a//b", UrlErrc::path_malformed},
        {"zk://h/a/./b", UrlErrc::path_malformed},
        {"zk://h/..", UrlErrc::path_malformed},
    };
    for (const Case& c : cases) {
        INFO(c.text);
        const Result<ZkUrl> url = parse_zk_url(c.text);
        REQUIRE(url.has_error());
        CHECK(url.error() == c.error);
    }
    const Result<ZkUrl> secret = parse_zk_url("zk://user:hunter2@h:x/mysos");
    CHECK(secret.error().message().find("hunter2") == std::string::npos);
}

TEST_CASE("zk url: printed, it has no credentials", "[zk_url]")
{
    CHECK(print(*parse_zk_url("zk://u:hunter2@h1,[::1]:7/a/b/")) == "zk://h1:2181,[::1]:7/a/b");
}

TEST_CASE("host list: addresses of masters need a port where there is no default", "[zk_url]")
{
    const Result<std::vector<HostPort>> two = parse_host_ports("m1:5050,m2:5051", 0);
    REQUIRE(two.has_value());
    CHECK(*two == std::vector<HostPort>{{"m1", 5050}, {"m2", 5051}});
    CHECK(print(*two) == "m1:5050,m2:5051");
    CHECK(parse_host_ports("m1", 0).error() == UrlErrc::port_malformed);
    CHECK(parse_host_ports("", 0).error() == UrlErrc::server_missing);
    CHECK(parse_host_ports("m1:1,", 0).error() == UrlErrc::host_malformed);
}
