#pragma once

#include "common/io/http.hpp"
#include "scheduler/decide/effect.hpp"

namespace mysos::scheduler {

/// What decisions do to the world. One implementation is real (App), one is the test's.
class Ports {
  public:
    Ports() = default;
    Ports(const Ports&) = delete;
    Ports& operator=(const Ports&) = delete;
    virtual ~Ports() = default;

    // Barriers: they complete when it is durable. An error means that this process may not go on.
    [[nodiscard]] virtual io::Awaitable<ErrorCode> save(SaveFramework effect) = 0;
    [[nodiscard]] virtual io::Awaitable<ErrorCode> save(SaveCluster effect) = 0;
    [[nodiscard]] virtual io::Awaitable<ErrorCode> save(RemoveCluster effect) = 0;

    // The rest only starts here. What becomes of it comes back as an input.
    virtual void start(const SendCall& effect) = 0;
    virtual void start(const AcceptOffer& effect) = 0;
    virtual void start(const AcceptStream& effect) = 0;
    virtual void start(const RefuseStream& effect) = 0;
    virtual void start(const CloseStream& effect) = 0;
    virtual void start(const SendOrder& effect) = 0;
    virtual void start(const ReadTree& effect) = 0;
    virtual void start(const ApplyTree& effect) = 0;
    virtual void start(const Reply& effect) = 0;
    virtual void report(const Report& effect) = 0;
    virtual void report(const Ignored& effect) = 0;
    virtual void report(const Stop& effect) = 0;
};

/// Carries effects out from left to right. Stops at a barrier that fails, with its error, and at
/// `Stop`, with Errc::refused_by_mesos.
[[nodiscard]] io::Awaitable<ErrorCode> perform(Effects effects, Ports& ports);

}  // namespace mysos::scheduler
