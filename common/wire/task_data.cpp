#include "common/wire/task_data.hpp"

#include "common/base/expects.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace mysos::wire {
namespace {

using nlohmann::json;

constexpr auto refused = boost::system::in_place_error;

/// Reads fields one by one and keeps the first complaint.
class Fields {
  public:
    explicit Fields(const json& object) : object_{object} {}

    void read(const char* name, std::string& into)
    {
        const json* field = find(name);
        if (field == nullptr) return;
        const auto* text = field->get_ptr<const json::string_t*>();
        if (text == nullptr || text->empty()) return complain(name, "is not a text");
        into = *text;
    }

    template <class Number>
    void read_number(const char* name, Number& into)
    {
        const json* field = find(name);
        if (field == nullptr) return;
        const auto* number = field->get_ptr<const json::number_unsigned_t*>();
        if (number == nullptr || *number > std::numeric_limits<Number>::max()) {
            return complain(name, "is not a number in range");
        }
        into = static_cast<Number>(*number);
    }

    /// Of a newer scheduler.
    void read_optional(const char* name, bool& into)
    {
        const auto found = object_.find(name);
        if (found == object_.end()) return;
        if (!found->is_boolean()) return complain(name, "is neither true nor false");
        into = found->get<bool>();
    }

    void read_object(const char* name, std::string& into)
    {
        const json* field = find(name);
        if (field == nullptr) return;
        if (!field->is_object()) return complain(name, "is not an object");
        into = field->dump();
    }

    void complain(const std::string& name, const std::string& what)
    {
        if (complaint_.empty()) complaint_ = "task data: '" + name + "' " + what;
    }

    [[nodiscard]] const std::string& complaint() const { return complaint_; }

  private:
    const json* find(const char* name)
    {
        const auto found = object_.find(name);
        if (found != object_.end()) return &*found;
        complain(name, "is missing");
        return nullptr;
    }

    const json& object_;
    std::string complaint_;
};

}  // namespace

Explained<TaskData> decode_task_data(std::string_view text)
{
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) return {refused, "task data is not a JSON object"};

    TaskData data;
    Fields fields{object};
    fields.read("token", data.token);
    fields.read("zk", data.zk);
    fields.read("cluster", data.cluster);
    fields.read("cluster_uuid", data.cluster_uuid);
    fields.read_number("server_id", data.server_id);
    fields.read("flavor", data.flavor);
    fields.read_object("installer", data.installer);
    fields.read_number("port", data.port);
    fields.read_number("peer_port", data.peer_port);
    fields.read_number("mem_mb", data.mem_mb);
    fields.read_number("disk_mb", data.disk_mb);
    fields.read("host", data.host);
    fields.read("ip", data.ip);
    fields.read_optional("async", data.async);
    if (data.flavor != "mariadb" && data.flavor != "mysql") {
        fields.complain("flavor", "is neither mariadb nor mysql");
    }
    if (data.server_id == 0) fields.complain("server_id", "is 0");
    if (data.port == 0) fields.complain("port", "is 0");
    if (!fields.complaint().empty()) return {refused, fields.complaint()};
    return data;
}

std::string encode_task_data(const TaskData& data)
{
    json installer = json::parse(data.installer, nullptr, false);
    expects(installer.is_object());
    const json object{
        {"token", data.token},
        {"zk", data.zk},
        {"cluster", data.cluster},
        {"cluster_uuid", data.cluster_uuid},
        {"server_id", data.server_id},
        {"flavor", data.flavor},
        {"installer", std::move(installer)},
        {"port", data.port},
        {"peer_port", data.peer_port},
        {"mem_mb", data.mem_mb},
        {"disk_mb", data.disk_mb},
        {"host", data.host},
        {"ip", data.ip},
        {"async", data.async}};
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace mysos::wire
