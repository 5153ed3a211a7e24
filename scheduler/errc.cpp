#include "scheduler/errc.hpp"

#include <string>

namespace mysos::scheduler {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "scheduler"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
            case Errc::state_unreadable: return "the stored state cannot be read";
            case Errc::refused_by_mesos: return "Mesos refused the framework";
            case Errc::deposed: return "another scheduler may lead";
        }
        return "unknown scheduler error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& category() noexcept
{
    static const Category instance;
    return instance;
}

}  // namespace mysos::scheduler
