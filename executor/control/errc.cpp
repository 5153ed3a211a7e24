#include "executor/control/server_control.hpp"

#include <string>

namespace mysos::executor {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "server control"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<ControlErrc>(value)) {
            case ControlErrc::server_silent: return "the server does not answer";
            case ControlErrc::server_refused: return "the server refused";
            case ControlErrc::lacks_position: return "the server lacks the position asked for";
            case ControlErrc::errant: return "the server holds what the primary lacks";
            case ControlErrc::not_applied: return "not all that was received is applied";
            case ControlErrc::replication_broken: return "the applier stopped with an error";
        }
        return "unknown server control error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& control_category() noexcept
{
    static const Category instance;
    return instance;
}

}  // namespace mysos::executor
