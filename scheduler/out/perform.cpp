#include "scheduler/out/perform.hpp"

#include "scheduler/errc.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace mysos::scheduler {
namespace {

template <class T>
constexpr bool is_barrier = std::is_same_v<T, SaveFramework> || std::is_same_v<T, SaveCluster> ||
                            std::is_same_v<T, RemoveCluster>;

template <class T>
constexpr bool is_report =
    std::is_same_v<T, Report> || std::is_same_v<T, Ignored> || std::is_same_v<T, Stop>;

void start(const Effect& effect, Ports& ports)
{
    std::visit(
        [&ports](const auto& known) {
            using Known = std::decay_t<decltype(known)>;
            if constexpr (is_report<Known>) {
                ports.report(known);
            } else if constexpr (!is_barrier<Known>) {
                ports.start(known);
            }
        },
        effect);
}

}  // namespace

io::Awaitable<ErrorCode> perform(Effects effects, Ports& ports)
{
    for (Effect& effect : effects) {
        ErrorCode ec;
        if (auto* framework = std::get_if<SaveFramework>(&effect)) {
            ec = co_await ports.save(std::move(*framework));
        } else if (auto* cluster = std::get_if<SaveCluster>(&effect)) {
            ec = co_await ports.save(std::move(*cluster));
        } else if (auto* removal = std::get_if<RemoveCluster>(&effect)) {
            ec = co_await ports.save(std::move(*removal));
        } else {
            start(effect, ports);
            if (std::holds_alternative<Stop>(effect)) ec = Errc::refused_by_mesos;
        }
        if (ec) co_return ec;
    }
    co_return ErrorCode{};
}

}  // namespace mysos::scheduler
