#include "executor/out/volume_files.hpp"

#include "executor/install/data_directory.hpp"
#include "executor/install/installer.hpp"
#include "executor/out/durable_file.hpp"
#include "executor/out/epoch_file.hpp"
#include "executor/rebuild/errant.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <system_error>

namespace mysos::executor {
namespace {

constexpr mode_t private_file = 0600;

/// The directory and what leads to it are the executor's: a server has no business there.
Outcome<void> make_directory(const std::string& path)
{
    constexpr mode_t private_directory = 0700;
    if (::mkdir(path.c_str(), private_directory) == 0 || errno == EEXIST) {
        return boost::system::in_place_value;
    }
    return Failure{
        InstallErrc::system_failed, path + ": " + std::generic_category().message(errno)};
}

}  // namespace

std::string VolumeFiles::file(const char* name) const
{
    return volume_ + "/mysos/" + name;
}

Outcome<Volume> VolumeFiles::inspect() const
{
    Volume volume;
    volume.boot_id = read_boot_id();
    const auto identity = read_small_file(file("identity"));
    if (identity.has_error()) return identity.error();
    if (*identity) {
        volume.identity = parse_identity(**identity);
        if (!volume.identity) {
            return Failure{
                InstallErrc::directory_foreign,
                file("identity") + " does not say whose volume this is"};
        }
    }
    const auto epoch = read_small_file(file("epoch"));
    if (epoch.has_error()) return epoch.error();
    if (*epoch) {
        volume.record = parse_epoch_file(**epoch);
        volume.epoch_file_corrupt = !volume.record;
    }
    volume.errant = count_errant(volume_);
    // Half a data directory may look like nothing at all.
    if (volume.record && volume.record->role == Role::rebuilding) return volume;
    const auto data = executor::inspect(directories_on(volume_));
    if (data.has_error()) return data.error();
    volume.has_data = *data == DataDirectory::ready;
    return volume;
}

Outcome<void> VolumeFiles::claim(const Identity& identity) const
{
    if (auto made = make_directory(volume_ + "/mysos"); made.has_error()) return made;
    return write_durably(file("identity"), print_identity(identity), private_file);
}

Outcome<void> VolumeFiles::save(const EpochRecord& record) const
{
    return write_durably(file("epoch"), print_epoch_file(record), private_file);
}

Outcome<void> VolumeFiles::save_token(const std::string& token) const
{
    return write_durably(file("token"), token + "\n", private_file);
}

std::string read_boot_id()
{
    const auto text = read_small_file("/proc/sys/kernel/random/boot_id");
    if (text.has_error() || !*text) return {};
    std::string id = **text;
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
}

}  // namespace mysos::executor
