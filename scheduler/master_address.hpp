#pragma once

#include "common/io/tls.hpp"
#include "scheduler/flag_reader.hpp"

#include <optional>
#include <string>

namespace mysos::scheduler {

/// Where the Mesos masters are and how they are spoken to: --mesos_master, --mesos_tls,
/// --mesos_ca_file.
struct MasterAddress {
    std::string address;         ///< zk://…, or addresses with ports, separated by commas.
    std::optional<io::Tls> tls;  ///< Set: over TLS.
};

/// Throws FlagError; its text never repeats an address, which may hold a password.
[[nodiscard]] MasterAddress read_master(const FlagReader& read);

}  // namespace mysos::scheduler
