#pragma once

#include "common/base/failure.hpp"
#include "common/control/messages.hpp"
#include "common/mysql/config.hpp"
#include "executor/install/installer.hpp"

#include <cstdint>
#include <string>

/// What a member alone holds: transactions that no client was told of, and that would go with its
/// data.
namespace mysos::executor {

struct ErrantOrder {
    ServerPrograms programs;
    mysql::Directories directories;
    std::string volume;
    std::string cluster;
    std::uint32_t server_id = 0;
    control::Rebuild rebuild;
    std::string donor_history;  ///< ServerControl::history
};

struct Errant {
    std::uint64_t transactions = 0;
    std::string file;  ///< Empty: there was nothing to save.
    friend bool operator==(const Errant&, const Errant&) = default;
};

/// Finds in the server's binary and relay logs what neither the primary nor the donor is known to
/// hold, and writes it into <volume>/mysos/errant/<epoch>-<time>.sql: as SQL that a person can read
/// and a client can run, for the executor's eyes alone. The server must be down. Blocks. Whole and
/// on the disk when this returns; after an error there is no such file. Errors: server_missing: no
/// program to read the logs with; system_failed.
[[nodiscard]] Outcome<Errant> save_errant(const ErrantOrder& order);

/// How many transactions all such files of a volume hold. Blocks. A file that says nothing counts
/// 0.
[[nodiscard]] std::uint64_t count_errant(const std::string& volume);

}  // namespace mysos::executor
