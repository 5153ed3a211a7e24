#include "scheduler/master_address.hpp"

#include "common/base/zk_url.hpp"

#include <sstream>

namespace mysos::scheduler {
namespace {

enum class Scheme { http, https };

/// Takes the schemes off a list of addresses: what stands before the first holds for all.
std::optional<Scheme> take_scheme(std::string& masters)
{
    std::optional<Scheme> found;
    bool is_first = true;
    std::string plain;
    std::istringstream addresses{masters};
    for (std::string address; std::getline(addresses, address, ','); is_first = false) {
        std::optional<Scheme> own;
        if (address.starts_with("http://")) own = Scheme::http;
        if (address.starts_with("https://")) own = Scheme::https;
        if (own) {
            address.erase(0, address.find("//") + 2);
            if (address.ends_with('/')) address.pop_back();
        }
        if (is_first) found = own;
        if (own && own != found) {
            throw FlagError{
                "mesos_master",
                "some masters have https:// and some have not: write it before each that is "
                "listed, or before none"};
        }
        plain += (is_first ? "" : ",") + address;
    }
    if (masters.ends_with(',')) plain += ',';  // To be refused with what lacks there.
    masters = plain;
    return found;
}

std::optional<io::Tls> read_tls(const FlagReader& read, std::optional<Scheme> scheme)
{
    const bool is_asked_for = read.is_set("mesos_tls");
    if (is_asked_for && scheme == Scheme::http) {
        throw FlagError{"mesos_tls", "--mesos_master says http://: write https:// there"};
    }
    const std::string ca_file = read.optional("mesos_ca_file").value_or("");
    if (!is_asked_for && scheme != Scheme::https) {
        if (ca_file.empty()) return std::nullopt;
        throw FlagError{
            "mesos_ca_file",
            "is of no use without TLS: write https://host:port as --mesos_master, or give "
            "--mesos_tls as well when that is zk://"};
    }
    const Result<io::Tls> tls = io::Tls::client(ca_file);
    if (!tls) {
        throw FlagError{
            "mesos_ca_file", "cannot use '" + ca_file + "': give a PEM file of certificates"};
    }
    return *tls;
}

}  // namespace

MasterAddress read_master(const FlagReader& read)
{
    const std::string right =
        "give host:port, https://host:port, a list of either or zk://host:port,host:port/mesos";
    std::string master = read.required("mesos_master", right);
    const bool is_zookeeper = master.starts_with("zk://");
    const std::optional<Scheme> scheme = is_zookeeper ? std::nullopt : take_scheme(master);
    const ErrorCode wrong =
        is_zookeeper ? parse_zk_url(master).error() : parse_host_ports(master, 0).error();
    // The text is not repeated: it may hold a password.
    if (wrong) throw FlagError{"mesos_master", wrong.message() + ": " + right};
    return {master, read_tls(read, scheme)};
}

}  // namespace mysos::scheduler
