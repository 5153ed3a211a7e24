#include "common/publish/tree.hpp"

#include "common/base/overload.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string_view>

namespace mysos::publish {
namespace {

constexpr std::string_view master = "master";
constexpr std::string_view slaves = "slaves";

std::string member_name(MemberId member)
{
    const std::string digits = std::to_string(number(member));
    return "member_" + std::string(10 - digits.size(), '0') + digits;
}

std::string server_set_entry(MemberId member, const Endpoint& endpoint)
{
    nlohmann::ordered_json entry;
    entry["serviceEndpoint"] = {{"host", endpoint.host}, {"port", endpoint.port}};
    entry["additionalEndpoints"] = nlohmann::ordered_json::object();
    entry["status"] = "ALIVE";
    entry["shard"] = number(member);
    return entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

bool is_member_node(std::string_view path)
{
    return path.starts_with("master/") || path.starts_with("slaves/");
}

bool is_ours(std::string_view path)
{
    return path.empty() || path == master || path == slaves || is_member_node(path);
}

}  // namespace

std::map<std::string, std::string> nodes_of(const Wanted& wanted)
{
    std::map<std::string, std::string> nodes{
        {"", ""}, {std::string{master}, ""}, {std::string{slaves}, ""}};
    for (const auto& [member, endpoint] : wanted.members) {
        const std::string_view parent = wanted.master == member ? master : slaves;
        nodes.emplace(
            std::string{parent} + "/" + member_name(member), server_set_entry(member, endpoint));
    }
    return nodes;
}

std::vector<Operation> difference(const Tree& tree, const std::map<std::string, std::string>& nodes)
{
    std::vector<Operation> operations;
    for (auto node = tree.rbegin(); node != tree.rend(); ++node) {
        const auto& [path, there] = *node;
        const bool superfluous = !nodes.contains(path) && (nodes.empty() || is_ours(path));
        if (superfluous) operations.emplace_back(Remove{path, there.version});
    }
    for (const auto& [path, data] : nodes) {
        const auto there = tree.find(path);
        if (there == tree.end()) {
            operations.emplace_back(Create{path, data});
        } else if (is_member_node(path) && there->second.data != data) {
            operations.emplace_back(Write{path, data, there->second.version});
        }
    }
    return operations;
}

Tree applied(Tree tree, const std::vector<Operation>& operations)
{
    for (const Operation& operation : operations) {
        std::visit(
            Overload{
                [&tree](const Create& create) {
                    tree.insert_or_assign(create.path, Node{create.data, 0});
                },
                [&tree](const Remove& remove) { tree.erase(remove.path); },
                [&tree](const Write& write) {
                    tree.insert_or_assign(write.path, Node{write.data, write.version + 1});
                }},
            operation);
    }
    return tree;
}

}  // namespace mysos::publish
