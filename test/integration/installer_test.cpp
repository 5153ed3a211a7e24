#include "executor/install/installer.hpp"

#include "common/io/http_server.hpp"
#include "executor/install/data_directory.hpp"
#include "executor/install/download.hpp"
#include "executor/out/spawn.hpp"
#include "test/support/database_server.hpp"
#include "test/support/packages.hpp"
#include "test/support/temporary_directory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace mysos;
using namespace mysos::executor;
using namespace mysos::test;

namespace {

namespace fs = std::filesystem;

struct Install {
    TemporaryDirectory cache;
    std::vector<InstallProgress> steps;

    Outcome<ServerPrograms> operator()(const InstallerArguments& arguments)
    {
        steps.clear();
        return make_installer(arguments, cache.path())->install([&](const InstallProgress& step) {
            steps.push_back(step);
        });
    }
};

InstallerArguments tarball(const std::string& uri, const std::string& sha256)
{
    InstallerArguments arguments;
    arguments.installer = "tarball";
    arguments.uri = uri;
    arguments.sha256 = sha256;
    return arguments;
}

/// Serves one file over HTTP on a thread of its own, in ranges when it knows them.
class FileServer {
  public:
    FileServer(std::string body, bool ranges)
        : body_{std::move(body)},
          ranges_{ranges},
          server_{loop_.get_executor(), {}, [this](io::Request r) { return answer(std::move(r)); }}
    {
        REQUIRE_FALSE(server_.listen());
        boost::asio::co_spawn(loop_, server_.run(), [](std::exception_ptr) {});
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~FileServer()
    {
        loop_.stop();
        thread_.join();
    }
    FileServer(const FileServer&) = delete;
    FileServer& operator=(const FileServer&) = delete;

    [[nodiscard]] std::string uri(const std::string& path) const
    {
        return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
    }

  private:
    io::Awaitable<io::Reply> answer(io::Request request)
    {
        io::Reply reply;
        if (request.path() != "/package") {
            reply.status = 404;
            co_return reply;
        }
        unsigned long first = 0;
        unsigned long last = 0;
        const std::string range{request.headers.find("Range")};
        if (!ranges_ || std::sscanf(range.c_str(), "bytes=%lu-%lu", &first, &last) != 2) {
            reply.body = body_;
            co_return reply;
        }
        reply.status = 206;
        reply.body = body_.substr(first, last - first + 1);
        reply.headers.set(
            "Content-Range",
            "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                std::to_string(body_.size()));
        co_return reply;
    }

    std::string body_;
    bool ranges_;
    boost::asio::io_context loop_{1};
    io::HttpServer server_;
    std::thread thread_;
};

std::string text_of(const std::string& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("installer: arguments are read, or refused by name")
{
    const std::string digest(64, 'a');
    struct Row {
        std::string json, failure;
    };
    const std::vector<Row> rows{
        {"{}", ""},
        {R"({"installer":"host","flavor":"mysql","server":"/opt/mysqld"})", ""},
        {R"({"installer":"tarball","uri":"/x.tgz","sha256":")" + digest + R"("})", ""},
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {R"({"installer":1})", "installer is not a string"},
        {R"({"colour":"red"})", "unknown field colour"},
        {R"({"flavor":"oracle"})", "there is no flavor 'oracle': mysql or mariadb"},
        {R"({"installer":"apt"})", "there is no installer 'apt': host or tarball"},
        {R"({"installer":"tarball"})", "the tarball installer needs a uri"},
        {R"({"installer":"tarball","uri":"/x","sha256":"abc"})",
         "the tarball installer needs sha256, 64 hexadecimal digits"},
        {R"({"server":"mysqld"})", "server is not an absolute path: mysqld"},
    };
    for (const Row& row : rows) {
        INFO(row.json);
        const auto arguments = parse_installer_arguments(row.json);
        CHECK(
            (arguments.has_error() ? arguments.error().text : "") ==
            (row.failure.empty() ? "" : "installer arguments: " + row.failure));
        if (arguments.has_error()) CHECK(arguments.error().code == InstallErrc::arguments_wrong);
    }
    const auto read = parse_installer_arguments(
        R"({"installer":"tarball","flavor":"mysql","uri":"http://h/x","version":"9.7.4","sha256":")" +
        std::string(64, 'B') + R"("})");
    CHECK(
        read.value() ==
        InstallerArguments{
            "tarball", mysql::Flavor::mysql, "http://h/x", std::string(64, 'b'), "9.7.4", ""});
}

TEST_CASE("installer: the machine's own server is found and asked what it is")
{
    Install install;
    const auto found = install({});
    REQUIRE(found.has_value());
    CHECK(found.value().flavor == mysql::Flavor::mariadb);
    CHECK(found.value().version.substr(0, 3) == "10.");
    CHECK(fs::exists(found.value().share + "/maria_add_gis_sp_bootstrap.sql"));
    CHECK(found.value().options.empty());

    InstallerArguments wanted;
    wanted.server = "/no/such/mariadbd";
    CHECK(
        install(wanted).error() ==
        Failure{InstallErrc::server_missing, "there is no server at /no/such/mariadbd"});
    wanted.server = found.value().server;
    wanted.version = "1.2.3";
    CHECK(install(wanted).error().code == InstallErrc::package_broken);
    CHECK(install(wanted).error().text.find("wanted is 1.2.3") != std::string::npos);
    wanted.version = "10";
    CHECK(install(wanted).has_value());
    wanted.version = "1";
    CHECK(install(wanted).has_error());

    // Debian calls its MariaDB mysqld too, which does not make it one.
    InstallerArguments mysql;
    mysql.flavor = mysql::Flavor::mysql;
    mysql.server = found.value().server;
    CHECK(install(mysql).error().code == InstallErrc::package_broken);
    CHECK(install(mysql).error().text.find("is not mysql but says: ") != std::string::npos);
}

TEST_CASE("installer: a package is unpacked once, checked, and told where its files are")
{
    const FakePackage package;
    Install install;
    const auto first = install(tarball("file://" + package.file, package.sha256));
    REQUIRE(first.has_value());
    const std::string tree = install.cache.path() + "/packages/" + package.sha256 + "/some-name";
    CHECK(
        first.value() == ServerPrograms{
                             mysql::Flavor::mariadb,
                             "10.99.1",
                             tree + "/bin/mariadbd",
                             tree + "/share/mysql",
                             {"--basedir=" + tree,
                              "--plugin-dir=" + tree + "/lib/mysql/plugin",
                              "--lc-messages-dir=" + tree + "/share/mysql",
                              "--character-sets-dir=" + tree + "/share/mysql/charsets"}});
    using Step = InstallProgress::Step;
    CHECK(install.steps == std::vector<InstallProgress>{{Step::unpacking, 0}, {Step::checking, 0}});

    fs::remove(package.file);
    CHECK(install(tarball("/gone", package.sha256)).value() == first.value());
    CHECK(install.steps == std::vector<InstallProgress>{{Step::checking, 0}});
}

TEST_CASE("installer: a package that is not what was asked for is refused and leaves nothing")
{
    Install install;
    const auto refused = [&](const InstallerArguments& arguments, InstallErrc code) {
        const auto outcome = install(arguments);
        REQUIRE(outcome.has_error());
        CHECK(outcome.error().code == code);
        return outcome.error().text;
    };
    const FakePackage package;
    const std::string other(64, '0');
    CHECK(
        refused(tarball(package.file, other), InstallErrc::checksum_wrong) ==
        package.file + " has sha256 " + package.sha256 + ", wanted is " + other);
    CHECK_FALSE(fs::exists(install.cache.path() + "/packages/" + other));

    CHECK(
        refused(tarball("/no/such/file", other), InstallErrc::download_failed) ==
        "cannot read /no/such/file");
    CHECK(
        refused(tarball("ftp://h/x", other), InstallErrc::arguments_wrong)
            .find("http://, https://, file://") != std::string::npos);

    const std::string text = package.directory.write("text", "not a package");
    refused(tarball(text, sha256_of(text).value()), InstallErrc::package_broken);

    InstallerArguments wanted = tarball(package.file, package.sha256);
    wanted.version = "10.98.0";
    CHECK(
        refused(wanted, InstallErrc::package_broken).find("wanted is 10.98.0") !=
        std::string::npos);

    const FakePackage mysql{"mysqld  Ver 9.9.9 for Linux", "mysqld"};
    CHECK(
        refused(tarball(mysql.file, mysql.sha256), InstallErrc::package_broken)
            .find("is not mariadb but says: mysqld  Ver 9.9.9") != std::string::npos);
    const FakePackage empty{"x", "other"};
    CHECK(
        refused(tarball(empty.file, empty.sha256), InstallErrc::package_broken) ==
        empty.file + " has no bin/mariadbd");
}

TEST_CASE("installer: several that want one package at once unpack it once")
{
    const FakePackage package;
    const TemporaryDirectory cache;
    std::vector<std::thread> threads;
    std::atomic<int> unpacked{0};
    std::atomic<int> installed{0};
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            const auto installer =
                make_installer(tarball(package.file, package.sha256), cache.path());
            const auto programs = installer->install([&](const InstallProgress& step) {
                if (step.step == InstallProgress::Step::unpacking) ++unpacked;
            });
            if (programs.has_value()) ++installed;
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(unpacked == 1);
    CHECK(installed == 4);
}

TEST_CASE("installer: a package comes over HTTP, in pieces where the server knows them")
{
    const FakePackage package;
    const std::string padding(std::size_t{20} << 20U, 'x');
    for (const bool ranges : {true, false}) {
        INFO(ranges);
        Install install;
        const FileServer server{text_of(package.file), ranges};
        const auto done = install(tarball(server.uri("/package"), package.sha256));
        REQUIRE(done.has_value());
        REQUIRE(install.steps.size() == 3);
        CHECK(install.steps.front() == InstallProgress{InstallProgress::Step::fetching, 100});
        CHECK_FALSE(fs::exists(install.cache.path() + "/packages/" + package.sha256 + ".part"));

        const std::string other(64, '0');
        const auto missing = install(tarball(server.uri("/other"), other));
        REQUIRE(missing.has_error());
        CHECK(missing.error().code == InstallErrc::download_failed);
        CHECK(missing.error().text == server.uri("/other") + ": the answer is 404");

        std::vector<unsigned> percents;
        const FileServer large{padding, ranges};
        const std::string file = install.cache.path() + "/large";
        REQUIRE(download(large.uri("/package"), file, [&](unsigned percent) {
                    percents.push_back(percent);
                }).has_value());
        CHECK(text_of(file) == padding);
        CHECK(
            percents == (ranges ? std::vector<unsigned>{40, 80, 100} : std::vector<unsigned>{100}));
    }
    std::string gone;
    {
        const FileServer server{"x", true};
        gone = server.uri("/package");
    }
    const std::string secret = "http://user:word@" + gone.substr(7);
    const auto refused = download(secret, "/tmp/never", [](unsigned) {});
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == InstallErrc::download_failed);
    CHECK(refused.error().text.find("word") == std::string::npos);
    CHECK(refused.error().text.starts_with(gone + ": "));
}

TEST_CASE("installer: the cache is made, and refused where others may change it")
{
    const TemporaryDirectory top;
    const std::string cache = top.path() + "/a/cache";
    REQUIRE(secure_cache_dir(cache).has_value());
    REQUIRE(fs::is_directory(cache));
    CHECK(secure_cache_dir(cache).has_value());

    REQUIRE(::chmod(cache.c_str(), 0777) == 0);
    const auto open = secure_cache_dir(cache);
    REQUIRE(open.has_error());
    CHECK(open.error().code == InstallErrc::cache_foreign);
    CHECK_THAT(open.error().text, Catch::StartsWith(cache + " may be written by anybody, and"));
    REQUIRE(::chmod(cache.c_str(), 0755) == 0);

    if (::geteuid() != 0) {
        WARN("skipped in part: only root gives files away");
        return;
    }
    constexpr uid_t somebody = 65'534;
    const std::string link = top.path() + "/link";
    fs::create_directory_symlink(cache, link);
    CHECK(secure_cache_dir(link).has_value());
    REQUIRE(::lchown(link.c_str(), somebody, somebody) == 0);
    const auto behind = secure_cache_dir(link);
    REQUIRE(behind.has_error());
    CHECK_THAT(behind.error().text, Catch::StartsWith(link + " belongs to somebody else, and"));
    REQUIRE(::chown(cache.c_str(), somebody, somebody) == 0);
    CHECK(secure_cache_dir(cache).has_error());
}

TEST_CASE("data directory: made once, finished when broken off, never made over another")
{
    const auto& programs = server_programs(mysql::Flavor::mariadb);
    REQUIRE(programs.has_value());
    const TemporaryDirectory volume;
    const InitialiseOrder order{
        programs.value(),
        directories_on(volume.path()),
        default_cache_dir(),
        volume.path() + "/log"};
    CHECK(inspect(order.directories).value() == DataDirectory::empty);
    fs::create_directories(order.directories.data + ".new/mysql");
    CHECK(inspect(order.directories).value() == DataDirectory::partial);
    REQUIRE(initialise(order).has_value());
    CHECK(inspect(order.directories).value() == DataDirectory::ready);
    CHECK_FALSE(fs::exists(order.directories.data + ".new"));
    CHECK(fs::exists(order.directories.data + "/mysos/marker.ibd"));

    const auto again = initialise(order);
    REQUIRE(again.has_error());
    CHECK(again.error().code == InstallErrc::directory_foreign);

    const TemporaryDirectory strange;
    static_cast<void>(strange.write("mysql/data/letter.txt", "mine"));
    const auto foreign = inspect(directories_on(strange.path()));
    REQUIRE(foreign.has_error());
    CHECK(foreign.error().code == InstallErrc::directory_foreign);
    CHECK(strange.read("mysql/data/letter.txt") == "mine");
}

TEST_CASE("data directory: a server that cannot make one says why in the log")
{
    const TemporaryDirectory volume;
    InitialiseOrder order;
    order.programs.flavor = mysql::Flavor::mysql;
    order.programs.version = "0.0.0";
    order.programs.server = volume.write_program("mysqld", "echo no space; exit 1");
    order.directories = directories_on(volume.path());
    order.cache_dir = volume.path() + "/cache";
    order.log_path = volume.path() + "/log";
    const auto made = initialise(order);
    REQUIRE(made.has_error());
    CHECK(made.error().code == InstallErrc::initialise_failed);
    CHECK(made.error().text.ends_with("ended with status 1: no space"));
    CHECK(volume.read("log").find("no space") != std::string::npos);
    CHECK(inspect(order.directories).value() == DataDirectory::empty);
}

TEST_CASE("data directory: is made with temporary tables where no other server removes them")
{
    const TemporaryDirectory volume;
    InitialiseOrder order;
    order.programs.flavor = mysql::Flavor::mysql;
    order.programs.version = "0.0.0";
    order.programs.server = volume.write_program(
        "mysqld",
        "for word; do case $word in --tmpdir=*) cd \"${word#*=}\" && pwd;; esac; done; exit 1");
    order.directories = directories_on(volume.path());
    order.cache_dir = volume.path() + "/cache";
    order.log_path = volume.path() + "/log";
    const auto made = initialise(order);
    REQUIRE(made.has_error());
    const std::string said = made.error().text;
    CHECK_THAT(said, Catch::Contains("ended with status 1: " + order.cache_dir + "/templates/"));
    CHECK_FALSE(std::filesystem::exists(said.substr(said.find(order.cache_dir))));
}

TEST_CASE(
    "data directory: the server's user gets the volume, and the directory in its way is named")
{
    const auto user = server_user();
    REQUIRE(user.has_value());
    if (!user.value()) {
        WARN("skipped: only root runs servers as somebody else");
        return;
    }
    const TemporaryDirectory top;
    const std::string volume = top.path() + "/closed/volume";
    fs::create_directories(volume + "/mysql/data");
    fs::create_directories(volume + "/mysos");
    REQUIRE(::chmod((top.path() + "/closed").c_str(), 0700) == 0);
    const auto refused = check_way(volume, *user.value());
    REQUIRE(refused.has_error());
    CHECK(
        refused.error().text == "user " + user.value()->name +
                                    ", whom the server runs as, may not pass " + top.path() +
                                    "/closed");
    REQUIRE(::chmod((top.path() + "/closed").c_str(), 0711) == 0);
    CHECK(check_way(volume, *user.value()).has_value());
    REQUIRE(hand_over(volume, *user.value()).has_value());
    struct stat facts {};
    for (const char* part : {"", "/mysql", "/mysql/data"}) {
        REQUIRE(::stat((volume + part).c_str(), &facts) == 0);
        CHECK(facts.st_uid == user.value()->uid);
    }
    REQUIRE(::stat((volume + "/mysos").c_str(), &facts) == 0);
    CHECK(facts.st_uid == 0);  // The executor's own.
    CHECK(hand_over(volume, *user.value()).has_value());
}
