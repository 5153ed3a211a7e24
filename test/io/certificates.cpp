#include "test/io/certificates.hpp"

#include "common/base/expects.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace mysos::test {
namespace {

namespace fs = std::filesystem;

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

Key make_key()
{
    return Key{EVP_EC_gen("P-256")};
}

void add_extension(X509& to, X509& issuer, int what, const std::string& value)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &to, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free> extension{
        X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str())};
    expects(extension != nullptr && X509_add_ext(&to, extension.get(), -1) == 1);
}

/// `issuer` null: signed by itself, an authority.
Certificate make_certificate(
    const std::string& name, int serial, EVP_PKEY& key, X509* issuer, EVP_PKEY& issuer_key)
{
    constexpr long day = 24L * 60 * 60;
    Certificate made{X509_new()};
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -day);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), day);
    X509_set_pubkey(made.get(), &key);
    X509_NAME* const subject = X509_get_subject_name(made.get());
    const std::basic_string<unsigned char> bytes{name.begin(), name.end()};
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, bytes.c_str(), -1, -1, 0);
    X509& signer = issuer == nullptr ? *made : *issuer;
    X509_set_issuer_name(made.get(), X509_get_subject_name(&signer));
    if (issuer == nullptr) {
        add_extension(*made, signer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(*made, signer, NID_key_usage, "critical,keyCertSign");
    } else {
        const bool is_address = name.find_first_not_of("0123456789.") == std::string::npos;
        add_extension(*made, signer, NID_subject_alt_name, (is_address ? "IP:" : "DNS:") + name);
    }
    expects(X509_sign(made.get(), &issuer_key, EVP_sha256()) > 0);
    return made;
}

}  // namespace

struct Certificates::Impl {
    fs::path directory;
    Key key = make_key();
    Certificate certificate = make_certificate("test authority", 1, *key, nullptr, *key);
    int issued = 1;

    [[nodiscard]] std::string path(const std::string& name) const
    {
        return (directory / name).string();
    }
    void save(const std::string& name, X509& what) const
    {
        const std::unique_ptr<std::FILE, Free> file{std::fopen(path(name).c_str(), "w")};
        expects(file != nullptr && PEM_write_X509(file.get(), &what) == 1);
    }
    void save(const std::string& name, EVP_PKEY& what) const
    {
        const std::unique_ptr<std::FILE, Free> file{std::fopen(path(name).c_str(), "w")};
        expects(
            file != nullptr &&
            PEM_write_PrivateKey(file.get(), &what, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    }
};

Certificates::Certificates() : impl_{std::make_unique<Impl>()}
{
    std::string directory = (fs::temp_directory_path() / "mysos-tls-XXXXXX").string();
    expects(::mkdtemp(directory.data()) != nullptr);
    impl_->directory = directory;
    impl_->save("ca.pem", *impl_->certificate);
}

Certificates::~Certificates()
{
    std::error_code ignored;
    fs::remove_all(impl_->directory, ignored);
}

Certificates::Files Certificates::issue(const std::string& name)
{
    const int serial = ++impl_->issued;
    const Key key = make_key();
    const Certificate certificate =
        make_certificate(name, serial, *key, impl_->certificate.get(), *impl_->key);
    const std::string stem = std::to_string(serial);
    impl_->save(stem + ".pem", *certificate);
    impl_->save(stem + ".key", *key);
    return {impl_->path(stem + ".pem"), impl_->path(stem + ".key")};
}

std::string Certificates::ca_directory() const
{
    std::array<char, 16> name{};
    X509_NAME* const subject = X509_get_subject_name(impl_->certificate.get());
    std::snprintf(name.data(), name.size(), "%08lx.0", X509_NAME_hash(subject));
    impl_->save(name.data(), *impl_->certificate);
    return impl_->directory.string();
}

std::string Certificates::ca_file() const
{
    return impl_->path("ca.pem");
}

}  // namespace mysos::test
