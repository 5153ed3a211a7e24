#pragma once

#include "executor/install/installer.hpp"
#include "test/support/temporary_directory.hpp"

#include <string>

namespace mysos::test {

/// The server of that flavour that tests run: MariaDB as the machine has it; MySQL out of the
/// package that examples/packages/fetch-server leaves ($MYSOS_TEST_PACKAGES, else
/// $XDG_CACHE_HOME/mysos/packages), unpacked into the executor's own cache, since a server does
/// not run as root and root's home is nobody else's. A failure says why the tests of that flavour
/// cannot run here.
[[nodiscard]] const Outcome<executor::ServerPrograms>& server_programs(mysql::Flavor flavor);

/// Where that package is looked for.
[[nodiscard]] std::string packages_dir();

/// A package whose server only says its version.
struct FakePackage {
    TemporaryDirectory directory;
    std::string file = directory.path() + "/package.tar.gz";
    std::string sha256;

    explicit FakePackage(
        const std::string& says = "mariadbd  Ver 10.99.1-MariaDB for Linux",
        const std::string& program = "mariadbd");
};

}  // namespace mysos::test
