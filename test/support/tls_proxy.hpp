#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace mysos::test {

/// Speaks TLS for a server on 127.0.0.1 that cannot. Runs beside the test, on a thread of its own.
class TlsProxy {
  public:
    /// PEM files.
    TlsProxy(const std::string& certificate, const std::string& key, std::uint16_t target);
    TlsProxy(const TlsProxy&) = delete;
    TlsProxy& operator=(const TlsProxy&) = delete;
    ~TlsProxy();

    [[nodiscard]] std::uint16_t port() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mysos::test
