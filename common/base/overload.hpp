#pragma once

namespace mysos {

/// Several lambdas as one visitor for std::visit.
template <class... Handlers>
struct Overload : Handlers... {
    using Handlers::operator()...;
};
// clang 14 does not deduce it for an aggregate.
template <class... Handlers>
Overload(Handlers...) -> Overload<Handlers...>;

}  // namespace mysos
