#include "common/mysql/errc.hpp"

#include <string>

namespace mysos::mysql {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "mysql"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
            case Errc::position_malformed: return "the text is no GTID set or list";
        }
        return "unknown";
    }
};

}  // namespace

const boost::system::error_category& category() noexcept
{
    static const Category instance;
    return instance;
}

}  // namespace mysos::mysql
