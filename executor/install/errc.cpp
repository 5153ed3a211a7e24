#include "executor/install/installer.hpp"

#include <string>
#include <system_error>

namespace mysos::executor {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "install"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<InstallErrc>(value)) {
            case InstallErrc::arguments_wrong: return "the installer's arguments are wrong";
            case InstallErrc::server_missing: return "there is no such server on this machine";
            case InstallErrc::download_failed: return "the package could not be fetched";
            case InstallErrc::checksum_wrong: return "the package is not the one asked for";
            case InstallErrc::package_broken: return "the package holds no server that runs";
            case InstallErrc::directory_foreign:
                return "the data directory is not one that can be used";
            case InstallErrc::initialise_failed: return "the data directory could not be made";
            case InstallErrc::cache_foreign: return "the cache is not ours alone";
            case InstallErrc::system_failed: return "the system refused";
        }
        return "unknown install error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& install_category() noexcept
{
    static const Category instance;
    return instance;
}

Failure system_failure(const std::string& what, int number)
{
    return {InstallErrc::system_failed, what + ": " + std::generic_category().message(number)};
}

}  // namespace mysos::executor
