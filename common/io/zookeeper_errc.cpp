#include "common/io/zookeeper_errc.hpp"

#include <zookeeper/zookeeper.h>

#include <string>

namespace mysos::zookeeper {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "zookeeper"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
            case Errc::no_node: return "no such node";
            case Errc::node_exists: return "node exists";
            case Errc::bad_version: return "node was changed by somebody else";
            case Errc::not_empty: return "node has children";
            case Errc::no_children_for_ephemerals: return "an ephemeral node has no children";
            case Errc::not_authorized: return "not authorized";
            case Errc::auth_failed: return "credentials refused";
            case Errc::connection_lost: return "connection lost";
            case Errc::not_connected: return "not connected";
            case Errc::timed_out: return "no answer in time";
            case Errc::session_expired: return "session expired";
            case Errc::rolled_back: return "undone because another part failed";
            case Errc::bad_arguments: return "bad path or data";
            case Errc::closed: return "client closed";
            case Errc::other: return "unexpected answer";
        }
        return "unknown zookeeper error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& category() noexcept
{
    static const Category instance;
    return instance;
}

Errc errc_of_library(int code) noexcept
{
    switch (code) {
        case ZNONODE: return Errc::no_node;
        case ZNODEEXISTS: return Errc::node_exists;
        case ZBADVERSION: return Errc::bad_version;
        case ZNOTEMPTY: return Errc::not_empty;
        case ZNOCHILDRENFOREPHEMERALS: return Errc::no_children_for_ephemerals;
        case ZNOAUTH:
        case ZINVALIDACL: return Errc::not_authorized;
        case ZAUTHFAILED: return Errc::auth_failed;
        case ZCONNECTIONLOSS:
        case ZSESSIONMOVED: return Errc::connection_lost;
        case ZOPERATIONTIMEOUT: return Errc::timed_out;
        case ZSESSIONEXPIRED:
        case ZINVALIDSTATE: return Errc::session_expired;
        case ZRUNTIMEINCONSISTENCY: return Errc::rolled_back;
        case ZBADARGUMENTS:
        case ZMARSHALLINGERROR: return Errc::bad_arguments;
        case ZCLOSING: return Errc::closed;
        default: return Errc::other;
    }
}

}  // namespace mysos::zookeeper
