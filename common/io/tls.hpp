#pragma once

#include "common/base/result.hpp"

#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace mysos::io {

/// What TLS needs on one side: the trusted authorities, or our own certificate. Copies share one
/// OpenSSL context, as connections outlive the configuration they were made from. TLS 1.2 and up.
class Tls {
  public:
    /// Verifies the peer's chain and host name. Empty `ca_file`: the system's authorities.
    /// Errors: file_unreadable.
    [[nodiscard]] static Result<Tls> client(const std::string& ca_file = {});

    /// Presents a certificate chain; asks the client for none. PEM files.
    /// Errors: file_unreadable, also when the key does not belong to the certificate.
    [[nodiscard]] static Result<Tls> server(
        const std::string& certificate_file, const std::string& key_file);

    [[nodiscard]] boost::asio::ssl::context& context() const { return *context_; }

  private:
    explicit Tls(std::shared_ptr<boost::asio::ssl::context> context) : context_{std::move(context)}
    {}

    std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace mysos::io
