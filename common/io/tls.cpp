#include "common/io/tls.hpp"

#include "common/io/errc.hpp"

#include <boost/asio/ssl/context.hpp>

namespace mysos::io {
namespace ssl = boost::asio::ssl;
namespace {

std::shared_ptr<ssl::context> make_context(ssl::context::method method)
{
    auto context = std::make_shared<ssl::context>(method);
    context->set_options(
        ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
        ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::single_dh_use);
    return context;
}

}  // namespace

Result<Tls> Tls::client(const std::string& ca_file, const std::string& ca_directory)
{
    std::shared_ptr<ssl::context> context = make_context(ssl::context::tls_client);
    context->set_verify_mode(ssl::verify_peer);
    ErrorCode ec;
    if (ca_file.empty() && ca_directory.empty()) context->set_default_verify_paths(ec);
    if (!ec && !ca_file.empty()) context->load_verify_file(ca_file, ec);
    if (!ec && !ca_directory.empty()) context->add_verify_path(ca_directory, ec);
    if (ec) return Errc::file_unreadable;
    return Tls{std::move(context)};
}

Tls Tls::unverified_client()
{
    std::shared_ptr<ssl::context> context = make_context(ssl::context::tls_client);
    context->set_verify_mode(ssl::verify_none);
    return Tls{std::move(context)};
}

Result<Tls> Tls::server(const std::string& certificate_file, const std::string& key_file)
{
    std::shared_ptr<ssl::context> context = make_context(ssl::context::tls_server);
    ErrorCode ec;
    context->use_certificate_chain_file(certificate_file, ec);
    if (ec) return Errc::file_unreadable;
    context->use_private_key_file(key_file, ssl::context::pem, ec);
    if (ec) return Errc::file_unreadable;
    return Tls{std::move(context)};
}

}  // namespace mysos::io
