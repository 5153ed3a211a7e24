#include "common/io/errc.hpp"

#include <string>

namespace mysos::io {
namespace {

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "io"; }

    [[nodiscard]] std::string message(int value) const override
    {
        switch (static_cast<Errc>(value)) {
            case Errc::address_malformed: return "address is not host:port";
            case Errc::name_not_found: return "host name has no address";
            case Errc::timed_out: return "no answer in time";
            case Errc::connection_lost: return "connection ended before the whole answer";
            case Errc::response_malformed: return "answer is not HTTP";
            case Errc::response_too_long: return "answer is longer than the limit";
            case Errc::redirect_refused: return "redirect leads nowhere or to an unsafe place";
            case Errc::redirected_too_often: return "redirected too often";
            case Errc::peer_not_verified: return "certificate of the peer does not hold";
            case Errc::tls_failed: return "TLS failed";
            case Errc::subscription_refused: return "subscription was refused";
            case Errc::not_subscribed: return "no stream is open";
            case Errc::stream_ended: return "stream was ended by the peer";
            case Errc::stream_silent: return "stream was silent for too long";
            case Errc::peer_too_slow: return "peer does not read what it is sent";
            case Errc::peer_out_of_turn: return "peer sent a request into a stream";
            case Errc::file_unreadable: return "certificate or key file cannot be used";
        }
        return "unknown io error " + std::to_string(value);
    }
};

}  // namespace

const boost::system::error_category& category() noexcept
{
    static const Category instance;
    return instance;
}

}  // namespace mysos::io
