#include "test/conformance/framework.hpp"

#include <map>

namespace mysos::conformance {

Json scalar(const std::string& name, double value)
{
    return {{"name", name}, {"type", "SCALAR"}, {"scalar", {{"value", value}}}};
}

Json ports(int begin, int end)
{
    return {
        {"name", "ports"},
        {"type", "RANGES"},
        {"ranges", {{"range", Json::array({{{"begin", begin}, {"end", end}}})}}}};
}

Json reserved(Json resource, const Options& options)
{
    Json reservation{{"type", "DYNAMIC"}, {"role", options.role}};
    if (!options.principal.empty()) reservation["principal"] = options.principal;
    resource["reservations"] = Json::array({reservation});
    return resource;
}

Json volume(double megabytes, const std::string& id, const Options& options)
{
    Json disk = reserved(scalar("disk", megabytes), options);
    disk["disk"] = {
        {"persistence", {{"id", id}}}, {"volume", {{"container_path", "data"}, {"mode", "RW"}}}};
    if (!options.principal.empty()) disk["disk"]["persistence"]["principal"] = options.principal;
    return disk;
}

double unreserved(const Json& offer, const std::string& name)
{
    double sum = 0;
    for (const Json& resource : at(offer, "/resources")) {
        if (resource.value("name", "") != name || resource.contains("disk")) continue;
        if (resource.contains("reservations") || resource.value("role", "*") != "*") continue;
        if (resource.contains("scalar")) sum += resource["scalar"]["value"].get<double>();
    }
    return sum;
}

std::vector<Json> volumes(const Json& offer, const std::string& id)
{
    std::vector<Json> found;
    for (const Json& resource : at(offer, "/resources")) {
        if (text(resource, "/disk/persistence/id") == id) found.push_back(resource);
    }
    return found;
}

Json executor_info(const std::string& id, const std::string& command)
{
    return {
        {"type", "CUSTOM"}, {"executor_id", {{"value", id}}}, {"command", {{"value", command}}}};
}

Json task_info(const Json& offer, const std::string& id, const Json& executor)
{
    return {
        {"name", id},
        {"task_id", {{"value", id}}},
        {"agent_id", at(offer, "/agent_id")},
        {"resources", {scalar("cpus", 0.1), scalar("mem", 32)}},
        {"executor", executor.is_null() ? executor_info(id) : executor}};
}

Json launch(const std::vector<Json>& tasks)
{
    return {{"type", "LAUNCH"}, {"launch", {{"task_infos", tasks}}}};
}

Json operation(const char* type, const std::vector<Json>& resources)
{
    static const std::map<std::string, std::pair<std::string, std::string>> fields{
        {"RESERVE", {"reserve", "resources"}},
        {"UNRESERVE", {"unreserve", "resources"}},
        {"CREATE", {"create", "volumes"}},
        {"DESTROY", {"destroy", "volumes"}}};
    const auto& [member, list] = fields.at(type);
    return {{"type", type}, {member, {{list, resources}}}};
}

Json accept(const Json& offer, const std::vector<Json>& operations, double refuse)
{
    return {
        {"type", "ACCEPT"},
        {"accept",
         {{"offer_ids", Json::array({at(offer, "/id")})},
          {"operations", operations},
          {"filters", {{"refuse_seconds", refuse}}}}}};
}

Json decline(const Json& offer, double refuse)
{
    return {
        {"type", "DECLINE"},
        {"decline",
         {{"offer_ids", Json::array({at(offer, "/id")})},
          {"filters", {{"refuse_seconds", refuse}}}}}};
}

}  // namespace mysos::conformance
