#include "test/support/packages.hpp"

#include "executor/install/download.hpp"
#include "executor/out/spawn.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>

namespace mysos::test {
namespace {

std::string variable(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

std::string packages_dir()
{
    if (auto said = variable("MYSOS_TEST_PACKAGES"); !said.empty()) return said;
    if (auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/mysos/packages";
    return variable("HOME") + "/.cache/mysos/packages";
}

namespace {

Outcome<executor::ServerPrograms> provide(mysql::Flavor flavor)
{
    executor::InstallerArguments arguments;
    arguments.flavor = flavor;
    if (flavor == mysql::Flavor::mysql) {
        arguments.installer = "tarball";
        arguments.uri = packages_dir() + "/mysql.tar.gz";
        std::ifstream digest{arguments.uri + ".sha256"};
        if (!(digest >> arguments.sha256))
            return Failure{
                executor::InstallErrc::server_missing,
                "no package of MySQL: " + arguments.uri +
                    ".sha256 is not there (examples/packages/fetch-server mysql makes it)"};
    }
    const auto installer = executor::make_installer(arguments, executor::default_cache_dir());
    return installer->install([](const executor::InstallProgress&) {});
}

}  // namespace

const Outcome<executor::ServerPrograms>& server_programs(mysql::Flavor flavor)
{
    static const Outcome<executor::ServerPrograms> mariadb = provide(mysql::Flavor::mariadb);
    if (flavor == mysql::Flavor::mariadb) return mariadb;
    static const Outcome<executor::ServerPrograms> mysql = provide(mysql::Flavor::mysql);
    return mysql;
}

FakePackage::FakePackage(const std::string& says, const std::string& program)
{
    const std::string top = "tree/some-name/";
    static_cast<void>(directory.write_program(top + "bin/" + program, "echo '" + says + "'"));
    for (const std::string name :
         {"share/mysql/maria_add_gis_sp_bootstrap.sql",
          "share/mysql/english/errmsg.sys",
          "share/mysql/charsets/Index.xml",
          "lib/mysql/plugin/x.so"})
        static_cast<void>(directory.write(top + name, "x"));
    executor::Spawn tar;
    tar.arguments = {"/bin/tar", "-czf", file, "-C", directory.path() + "/tree", "some-name"};
    tar.environment = executor::bare_environment();
    static_cast<void>(executor::run_program(tar, std::chrono::seconds{60}).value());
    sha256 = executor::sha256_of(file).value();
}

}  // namespace mysos::test
