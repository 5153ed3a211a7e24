#include "scheduler/options.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

using namespace mysos;
using namespace mysos::scheduler;
using namespace std::chrono_literals;

namespace {

using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

Options options(Arguments arguments, const Variables& variables = {})
{
    const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
    return understand(collect_flags(arguments, environment));
}

/// The least that is enough, and `more`.
Options enough(const Arguments& more, const Variables& variables = {})
{
    Arguments arguments{
        "--mesos_master=m:5050",
        "--zk_url=zk://z:2181/mysos",
        "--executor_uri=/opt/mysos-executor",
        "--work_dir=/tmp/w"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return options(arguments, variables);
}

std::string error(const std::function<Options()>& attempt)
{
    try {
        (void)attempt();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "accepted";
}

class Directory {
  public:
    Directory()
    {
        std::string name = (std::filesystem::temp_directory_path() / "mysos-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
        path_ = name;
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    [[nodiscard]] std::string file(const std::string& name, const std::string& content) const
    {
        std::ofstream{path_ / name, std::ios::binary} << content;
        std::filesystem::permissions(path_ / name, std::filesystem::perms{0600});
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("flags: what is left out has its documented default", "[options]")
{
    const Options got = enough({});
    CHECK(got.port == 55001);
    CHECK(got.bind == "0.0.0.0");
    CHECK(got.mesos_master == "m:5050");
    CHECK_FALSE(got.framework_user.empty());
    CHECK(got.framework_role == "mysos");
    CHECK(got.framework_failover_timeout == 14 * 24h);
    CHECK(got.executor_cmd == "./mysos-executor");
    CHECK(got.executor_environ.empty());
    CHECK(got.executor_source_prefix == "mysos");
    CHECK(
        got.installer_args == nlohmann::json::parse(R"({"installer":"host","flavor":"mariadb"})"));
    CHECK(got.election_timeout == 60s);
    CHECK(got.diagnosis.lease == 2s);
    CHECK(got.diagnosis.hang_timeout == 2s);
    CHECK(got.diagnosis.cut_timeout == 5s);
    CHECK(got.diagnosis.failover_block == 30s);
    CHECK(got.zk.path == "/mysos");
    CHECK(got.state_storage == StateStorage::zookeeper);
    CHECK_FALSE(got.scheduler_key.has_value());
    CHECK_FALSE(got.admin.has_value());
    CHECK_FALSE(got.verbose);
    CHECK(got.warnings.empty());
}

TEST_CASE("flags: dashes and underscores name the same flag, but values keep theirs", "[options]")
{
    CHECK(
        options({"--zk-url", "zk://z:1/a-b", "--mesos-master=m:1", "--executor-cmd", "run-it"})
            .zk.path == "/a-b");
    CHECK(enough({"--framework-role=my-role"}).framework_role == "my-role");
    CHECK(enough({"--verbose"}).verbose);
}

TEST_CASE("flags: where members may be, and out of what", "[options]")
{
    using placement::Operator;
    CHECK(enough({}).constraints.empty());
    CHECK(enough({}).unreserved == placement::Unreserved::used);
    CHECK(enough({"--use_unreserved=false"}).unreserved == placement::Unreserved::left);
    CHECK(
        enough({R"(--constraints=[["rack","GROUP_BY"],["@zone","MAX_PER","1"]])"}).constraints ==
        placement::Constraints{
            {"rack", Operator::group_by, ""}, {"@zone", Operator::max_per, "1"}});
    const Directory directory;
    const std::string config =
        directory.file("config.yaml", "constraints: [[rack, GROUP_BY, \"3\"]]\n");
    CHECK(
        enough({"--config", config}).constraints ==
        placement::Constraints{{"rack", Operator::group_by, "3"}});
}

TEST_CASE("flags: the command line comes before the environment, that before the file", "[options]")
{
    const Directory directory;
    const std::string config = directory.file(
        "config.yaml",
        "port: 1\nframework-role: from-file\nexecutor_source_prefix: from-file\n"
        "installer_args: {installer: host, flavor: mysql}\n"
        "executor_environ:\n  - {name: A, value: \"1\"}\n");
    const Options got = enough(
        {"--config", config, "--framework_role=from-line"},
        {{"MYSOS_FRAMEWORK_ROLE", "from-environment"}, {"MYSOS_PORT", "2"}});
    CHECK(got.framework_role == "from-line");
    CHECK(got.port == 2);
    CHECK(got.executor_source_prefix == "from-file");
    CHECK(got.installer_args.at("flavor") == "mysql");
    REQUIRE(got.executor_environ.size() == 1);
    CHECK(got.executor_environ.front() == std::pair<std::string, std::string>{"A", "1"});

    CHECK(enough({}, {{"MYSOS_CONFIG", config}}).port == 1);
}

TEST_CASE(
    "flags: each mistake is one line that names the flag and what would be right", "[options]")
{
    struct Case {
        Arguments more;
        std::string says;
    };
    const std::vector<Case> cases{
        {{"--port=x"},
         "--port: 'x' is not a port: give a number up to 65535, or 0 for any free one"},
        {{"--port=65536"},
         "--port: '65536' is not a port: give a number up to 65535, or 0 for any free one"},
        {{"--framework_role=*"},
         "--framework_role: '*' cannot hold reservations or volumes, which members need: give a "
         "role of its own, for example mysos"},
        {{"--framework_role=a//b"},
         "--framework_role: 'a//b' is not a role Mesos takes: no white space, and no part of it "
         "may "
         "be empty, '.', '..', '*' or begin with '-'"},
        {{"--constraints=rack"},
         "--constraints: must be a JSON list of lists, like [[\"rack\", \"UNIQUE\"], [\"os\", "
         "\"LIKE\", \"deb.*\"]]"},
        {{R"(--constraints=[["rack","UNIQUE","r1"]])"},
         "--constraints: 'rack UNIQUE' takes no value: leave it out"},
        {{"--use_unreserved=maybe"}, "--use_unreserved: 'maybe' is neither true nor false"},
        {{"--election_timeout=60"},
         "--election_timeout: '60' is not a duration: give one such as 60s, 5m or 14d"},
        {{"--lease=1s"}, "--lease: is too short: executors notice after 2s, give that or more"},
        {{"--hang_timeout=1s"},
         "--hang_timeout: is too short: executors notice after 2s, give that or more"},
        {{"--framework_failover_timeout=0s"},
         "--framework_failover_timeout: '0s' is not a duration: give one such as 60s, 5m or 14d"},
        {{"--executor_environ={}"},
         R"(--executor_environ: must be a JSON list such as [{"name":"A","value":"b"}])"},
        {{"--executor_environ=["},
         R"(--executor_environ: is not JSON: give one such as [{"name":"A","value":"b"}])"},
        {{"--installer_args=[]"},
         "--installer_args: is not a JSON object: give one such as "
         R"({"installer":"host","flavor":"mariadb"})"},
        {{R"(--installer_args={"installer":"rpm"})"},
         "--installer_args: 'installer' must be host or tarball"},
        {{R"(--installer_args={"flavour":"mysql"})"},
         "--installer_args: 'flavour' is not known: installer, flavor, uri, sha256, version and "
         "server are"},
        {{R"(--installer_args={"installer":"tarball"})"},
         "--installer_args: installer tarball needs 'uri'"},
        {{R"(--installer_args={"installer":"tarball","uri":"/a","sha256":"12"})"},
         "--installer_args: installer tarball needs 'sha256', 64 lower-case hex digits, as "
         "sha256sum prints"},
        {{"--backup_store_args={}"},
         "--backup_store_args: this version has no backup store: leave the flag out"},
        {{"--mesos_tls=maybe"}, "--mesos_tls: 'maybe' is neither true nor false"},
        {{"--mesos_ca_file=/ca.pem"},
         "--mesos_ca_file: is of no use without TLS: write https://host:port as --mesos_master, or "
         "give --mesos_tls as well when that is zk://"},
        {{"--mesos_tls", "--mesos_ca_file=/nonexistent"},
         "--mesos_ca_file: cannot use '/nonexistent': give a PEM file of certificates"},
        {{"--state_storage=disk"}, "--state_storage: 'disk' is neither zk nor local"},
        {{"--bind=localhost"},
         "--bind: 'localhost' is not an address: give one, for example 0.0.0.0"},
        {{"--scheduler_keypath=/nonexistent"}, "--scheduler_keypath: cannot read '/nonexistent'"},
        {{"--config=/nonexistent"}, "--config: cannot read '/nonexistent'"},
        {{"--prot=1"}, "--prot: is not a flag; did you mean --port?"},
        {{"--colour=red"}, "--colour: is not a flag; see --help"},
        {{"stray"}, "'stray' is not expected: every flag begins with --"},
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.more.front())
        {
            CHECK(error([&] { return enough(c.more); }) == c.says);
        }
    }
}

TEST_CASE("flags: what must be given is asked for", "[options]")
{
    CHECK(
        error([] { return options({}); }) ==
        "--mesos_master: is missing: give host:port, https://host:port, a list of either or "
        "zk://host:port,host:port/mesos");
    CHECK(
        error([] {
            return options({"--mesos_master=m:1", "--executor_cmd=run"});
        }) ==
        "--zk_url: is missing: give zk://host:port,host:port/path, for example "
        "zk://127.0.0.1:2181/mysos");
    CHECK(error([] {
              return options({"--mesos_master=m:1", "--zk_url=zk://z:1/a"});
          }).starts_with("--executor_uri: is missing: say where agents fetch mysos-executor"));
}

TEST_CASE("flags: a wrong address is refused without repeating its password", "[options]")
{
    const std::string zk = error([] {
        return options({"--mesos_master=m:1", "--executor_cmd=x", "--zk_url=zk://u:hush@z:1"});
    });
    CHECK(
        zk ==
        "--zk_url: has no path below the root: give zk://host:port,host:port/path, for example "
        "zk://127.0.0.1:2181/mysos");
    const std::string master = error([] {
        return options(
            {"--mesos_master=zk://u:hush@:1/m", "--executor_cmd=x", "--zk_url=zk://z/m"});
    });
    CHECK(master.starts_with("--mesos_master: "));
    CHECK(master.find("hush") == std::string::npos);
    CHECK(error([] {
              return options({"--mesos_master=m", "--executor_cmd=x", "--zk_url=zk://z/m"});
          }).starts_with("--mesos_master: a port is missing"));
}

TEST_CASE("flags: https:// or --mesos_tls makes TLS of every master", "[options]")
{
    struct Case {
        std::string master;
        bool flag;
        std::string then;
        bool tls;
    };
    const std::vector<Case> cases{
        {"m:1", false, "m:1", false},
        {"http://m:1/", false, "m:1", false},
        {"https://m:1", false, "m:1", true},
        {"https://m:1/,https://n:2", false, "m:1,n:2", true},
        {"https://m:1,n:2", false, "m:1,n:2", true},
        {"http://[::1]:1,n:2", false, "[::1]:1,n:2", false},
        {"m:1,n:2", true, "m:1,n:2", true},
        {"https://m:1", true, "m:1", true},
        {"zk://z/mesos", false, "zk://z/mesos", false},
        {"zk://z/mesos", true, "zk://z/mesos", true},
    };
    const auto got = [](const std::string& master, bool flag) {
        Arguments arguments{"--executor_cmd=x", "--zk_url=zk://z/m", "--mesos_master=" + master};
        if (flag) arguments.emplace_back("--mesos_tls");
        return options(arguments);
    };
    for (const Case& c : cases) {
        DYNAMIC_SECTION(c.master << " " << c.flag)
        {
            CHECK(got(c.master, c.flag).mesos_master == c.then);
            CHECK(got(c.master, c.flag).mesos_tls.has_value() == c.tls);
        }
    }
    const std::string mixed =
        "--mesos_master: some masters have https:// and some have not: write it before each that "
        "is listed, or before none";
    CHECK(error([&] { return got("m:1,https://n:2", false); }) == mixed);
    CHECK(error([&] { return got("https://m:1,http://n:2", false); }) == mixed);
    CHECK(error([&] {
              return got("http://m:1", true);
          }) == "--mesos_tls: --mesos_master says http://: write https:// there");
    CHECK(error([&] {
              return got("https://m", false);
          }).starts_with("--mesos_master: a port is missing"));
    CHECK(error([&] { return got("https://", false); }).starts_with("--mesos_master: "));
}

TEST_CASE("flags: key and credential files are checked", "[options]")
{
    const Directory directory;
    const std::string key31 = directory.file("key31", std::string(31, 'k'));
    CHECK(
        error([&] {
            return enough({"--scheduler_keypath", key31});
        }) == "--scheduler_keypath: '" + key31 +
                  "' has 31 bytes, a key has 32: make one with 'head -c 32 /dev/urandom > FILE'");
    const std::string key32 = directory.file("key32", std::string(32, '\0'));
    CHECK(enough({"--scheduler_keypath", key32}).scheduler_key == std::string(32, '\0'));

    const std::string admin = directory.file("admin", "username: boss\npassword: 's3:cret'\n");
    CHECK(enough({"--admin_keypath", admin}).admin->name == "boss");
    CHECK(enough({"--admin_keypath", admin}).admin->secret == "s3:cret");
    CHECK(enough({"--admin_keypath", admin}).warnings.empty());
    std::filesystem::permissions(admin, std::filesystem::perms{0644});
    CHECK(enough({"--admin_keypath", admin}).warnings.size() == 1);

    for (const char* content :
         {"", "username: boss\n", "- a\n", "{", "username: [a]\npassword: b"}) {
        const std::string broken = directory.file("broken", content);
        CHECK(
            error([&] {
                return enough({"--admin_keypath", broken});
            }) == "--admin_keypath: '" + broken +
                      "' must have two lines, 'username: ...' and 'password: ...'");
    }

    const std::string mesos = directory.file("mesos", "principal: p\nsecret: s\n");
    CHECK(enough({"--framework_authentication_file", mesos}).framework_authentication->name == "p");
    const std::string colon = directory.file("colon", "principal: p\nsecret: 'a:b'\n");
    CHECK(
        error([&] {
            return enough({"--framework_authentication_file", colon});
        }) == "--framework_authentication_file: principal or secret in '" + colon +
                  "' has a ':', which Mesos cannot take");
}

TEST_CASE("flags: a broken config file is refused by name, without its content", "[options]")
{
    const Directory directory;
    const std::string broken = directory.file("broken", "zk_url: zk://u:hush@z:1/m: x\n");
    const std::string says = error([&] { return enough({"--config", broken}); });
    CHECK_THAT(
        says, Catch::Matchers::StartsWith("--config: '" + broken + "' is not YAML at line "));
    CHECK(says.find("hush") == std::string::npos);

    const std::string list = directory.file("list", "- a\n");
    CHECK(error([&] {
              return enough({"--config", list});
          }) == "--config: '" + list + "' must have one 'flag: value' a line");
    const std::string unknown = directory.file("unknown", "prot: 1\n");
    CHECK(error([&] {
              return enough({"--config", unknown});
          }) == "--prot: in '" + unknown + "', is not a flag; see --help");
}

TEST_CASE("flags: a password of ZooKeeper on the command line is warned about", "[options]")
{
    const Arguments rest{"--mesos_master=m:1", "--executor_cmd=x"};
    Arguments with = rest;
    with.emplace_back("--zk_url=zk://u:p@z:1/m");
    CHECK(options(with).warnings.size() == 1);
    CHECK(options(rest, {{"MYSOS_ZK_URL", "zk://u:p@z:1/m"}}).warnings.empty());
}

TEST_CASE("flags: help lists every flag in groups, and version says which build", "[options]")
{
    const Environment none = [](const std::string&) { return std::nullopt; };
    const Flags help = collect_flags({"--help"}, none);
    REQUIRE(help.print.has_value());
    for (const char* expected :
         {"--mesos_master", "--zk_url", "--installer_args", "State and secrets:", "MYSOS_ZK_URL"}) {
        CHECK(help.print->find(expected) != std::string::npos);
    }
    // It is refused, until there are backups.
    CHECK(help.print->find("backup") == std::string::npos);
    const Flags version = collect_flags({"--version"}, none);
    REQUIRE(version.print.has_value());
    CHECK(version.print->starts_with("mysos-scheduler "));
}
