#pragma once

#include "common/base/time.hpp"
#include "common/base/zk_url.hpp"
#include "common/diagnosis/view.hpp"
#include "common/io/tls.hpp"
#include "common/placement/placement.hpp"
#include "scheduler/flags.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mysos::scheduler {

enum class StateStorage { zookeeper, local };

struct Credentials {
    std::string name;
    std::string secret;
};

/// What the flags mean. Everything here was checked; files named by flags have been read.
struct Options {
    std::string mesos_master;          ///< zk://…, or addresses with ports, separated by commas.
    std::optional<io::Tls> mesos_tls;  ///< Set: masters are spoken to over TLS.
    std::string framework_user;
    std::string framework_role;
    std::optional<Credentials> framework_authentication;  ///< Principal and secret.
    Duration framework_failover_timeout{};

    std::string executor_uri;  ///< Empty: agents have it, `executor_cmd` finds it.
    std::string executor_cmd;
    std::vector<std::pair<std::string, std::string>> executor_environ;
    std::string executor_source_prefix;
    nlohmann::json installer_args;  ///< An object with `installer` and `flavor`.
    Duration election_timeout{};
    placement::Constraints constraints;  ///< Of clusters that give none.
    placement::Unreserved unreserved = placement::Unreserved::used;
    Duration replace_after{};
    Duration retire_after{};
    diagnosis::Config diagnosis;

    ZkUrl zk;
    StateStorage state_storage = StateStorage::zookeeper;
    std::string work_dir;
    std::optional<std::string> scheduler_key;  ///< 32 bytes. Unset: scheduler.key in `work_dir`.
    std::optional<Credentials> admin;          ///< Unset: an account is generated for each cluster.

    std::uint16_t port = 0;
    std::string bind;
    std::string advertise_host;  ///< Empty: to be found out.
    bool verbose = false;

    std::vector<std::string> warnings;  ///< For the log, once it is open.
};

/// Understands the flags and reads the files they name. Throws FlagError.
[[nodiscard]] Options understand(const Flags& flags);

}  // namespace mysos::scheduler
