#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace mysos::test {

/// A certificate authority of one test. Its files are gone when it is.
class Certificates {
  public:
    Certificates();
    ~Certificates();
    Certificates(const Certificates&) = delete;
    Certificates& operator=(const Certificates&) = delete;

    struct Files {
        std::string certificate;
        std::string key;
    };
    /// For a host name, or an address.
    [[nodiscard]] Files issue(const std::string& name);
    [[nodiscard]] std::string ca_file() const;
    /// The authority under the name that OpenSSL looks for in a directory.
    [[nodiscard]] std::string ca_directory() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace mysos::test
