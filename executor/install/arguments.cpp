#include "executor/install/installer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace mysos::executor {
namespace {

Failure wrong(const std::string& why)
{
    return {InstallErrc::arguments_wrong, "installer arguments: " + why};
}

bool is_hexadecimal(const std::string& text)
{
    return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The field of that name, or nothing when there is no such field.
std::string* field_of(InstallerArguments& arguments, const std::string& name)
{
    if (name == "installer") return &arguments.installer;
    if (name == "uri") return &arguments.uri;
    if (name == "sha256") return &arguments.sha256;
    if (name == "version") return &arguments.version;
    if (name == "server") return &arguments.server;
    return nullptr;
}

Outcome<InstallerArguments> checked(InstallerArguments arguments)
{
    if (arguments.installer == "host") {
        if (!arguments.server.empty() && arguments.server.front() != '/')
            return wrong("server is not an absolute path: " + arguments.server);
        return arguments;
    }
    if (arguments.installer != "tarball")
        return wrong("there is no installer '" + arguments.installer + "': host or tarball");
    if (arguments.uri.empty()) return wrong("the tarball installer needs a uri");
    constexpr std::size_t digest_size = 64;
    std::transform(
        arguments.sha256.begin(), arguments.sha256.end(), arguments.sha256.begin(), [](char c) {
            return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        });
    if (arguments.sha256.size() != digest_size || !is_hexadecimal(arguments.sha256))
        return wrong("the tarball installer needs sha256, 64 hexadecimal digits");
    return arguments;
}

}  // namespace

Outcome<InstallerArguments> parse_installer_arguments(const std::string& text)
{
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) return wrong("not a JSON object");
    InstallerArguments arguments;
    for (const auto& [name, value] : json.items()) {
        if (!value.is_string()) return wrong(name + " is not a string");
        if (name == "flavor") {
            const auto flavor = value.get<std::string>();
            if (flavor != "mysql" && flavor != "mariadb")
                return wrong("there is no flavor '" + flavor + "': mysql or mariadb");
            arguments.flavor = flavor == "mysql" ? mysql::Flavor::mysql : mysql::Flavor::mariadb;
            continue;
        }
        std::string* field = field_of(arguments, name);
        if (field == nullptr) return wrong("unknown field " + name);
        *field = value.get<std::string>();
    }
    return checked(std::move(arguments));
}

}  // namespace mysos::executor
