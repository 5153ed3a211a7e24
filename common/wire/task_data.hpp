#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace mysos::wire {

/// What the scheduler hands to an executor in `TaskInfo.data`. Mesos shows it to everybody who may
/// see the task: the token is good for one first Hello only, and nothing else in it is a secret.
struct TaskData {
    std::string token;  ///< For the first Hello; the answer brings the permanent one.
    std::string zk;     ///< "zk://host:port,host:port/path", without credentials.
    std::string cluster;
    std::string cluster_uuid;
    std::uint32_t server_id = 0;
    std::string flavor;     ///< "mariadb" or "mysql".
    std::string installer;  ///< The installer's arguments, a JSON object as text.
    std::uint16_t port = 0;
    std::uint16_t peer_port = 0;
    std::uint32_t mem_mb = 0;
    std::uint32_t disk_mb = 0;
    std::string host;    ///< As published.
    std::string ip;      ///< As replicas reach it.
    bool async = false;  ///< Commits wait for nobody once clients are let in.

    friend bool operator==(const TaskData&, const TaskData&) = default;
};

/// Either the data or one line for a person that names the field at fault.
template <class T>
using Explained = boost::system::result<T, std::string>;

/// Shape:  a JSON object with the fields of TaskData by their names; `installer` is an object in
/// it.
///         Fields it does not know are passed over, so that an older executor serves a newer
///         scheduler.
/// Errors: the text says which field is missing or wrong, and never repeats the token.
[[nodiscard]] Explained<TaskData> decode_task_data(std::string_view text);
/// `data.installer` must be a JSON object.
[[nodiscard]] std::string encode_task_data(const TaskData& data);

}  // namespace mysos::wire
