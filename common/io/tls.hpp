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
    /// Verifies the peer's chain and name. PEM file, hashed directory (as c_rehash makes it); both
    /// empty: the system's authorities. A directory is looked at when a peer is verified.
    /// Errors: file_unreadable.
    [[nodiscard]] static Result<Tls> client(
        const std::string& ca_file = {}, const std::string& ca_directory = {});

    /// Encrypts, and believes every peer: for who was told not to verify.
    [[nodiscard]] static Tls unverified_client();

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
