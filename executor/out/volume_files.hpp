#pragma once

#include "common/base/failure.hpp"
#include "executor/decide/input.hpp"

#include <string>

namespace mysos::executor {

/// What of a member survives its executor: the directory `mysos` on its volume, with
///   identity   whose volume this is
///   epoch      what was promised (epoch_file.hpp)
///   token      the permanent token of the control stream, readable for the executor alone
///   errant     what a rebuild saved before it deleted the data (rebuild/errant.hpp)
///
/// Every call blocks for as long as the disk takes. A write is durable when it has returned.
/// Errors: system_failed, naming the file.
class VolumeFiles {
  public:
    explicit VolumeFiles(std::string volume) : volume_{std::move(volume)} {}

    /// An identity that cannot be read is an error: nobody's volume must not be taken for a new
    /// one. An epoch file that cannot be understood is reported as such.
    [[nodiscard]] Outcome<Volume> inspect() const;
    [[nodiscard]] Outcome<void> claim(const Identity& identity) const;
    [[nodiscard]] Outcome<void> save(const EpochRecord& record) const;
    [[nodiscard]] Outcome<void> save_token(const std::string& token) const;

    [[nodiscard]] const std::string& volume() const { return volume_; }

  private:
    [[nodiscard]] std::string file(const char* name) const;

    std::string volume_;
};

/// Of this machine since it was last started.
[[nodiscard]] std::string read_boot_id();

}  // namespace mysos::executor
