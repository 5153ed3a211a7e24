#include "executor/install/download.hpp"

#include "common/io/http_client.hpp"
#include "executor/install/installer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <charconv>
#include <exception>
#include <fstream>
#include <optional>
#include <utility>

namespace mysos::executor {
namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{8} << 20U;
constexpr std::size_t body_max = std::size_t{1} << 30U;  ///< From servers that know no ranges.
constexpr std::chrono::seconds piece_limit{120};
constexpr std::chrono::seconds whole_limit{1800};

struct Place {
    io::Endpoint endpoint;
    std::string target;
    std::string authorization;
    std::string shown;  ///< The uri without what stands before an '@'.
};

Outcome<Place> parse_uri(const std::string& uri)
{
    Place place;
    const auto scheme_end = uri.find("://");
    const std::string scheme = uri.substr(0, scheme_end);
    if (scheme_end == std::string::npos || (scheme != "http" && scheme != "https"))
        return Failure{
            InstallErrc::arguments_wrong,
            "a package comes from http://, https://, file:// or an absolute path"};
    std::string rest = uri.substr(scheme_end + 3);
    const auto path = rest.find('/');
    place.target = path == std::string::npos ? "/" : rest.substr(path);
    std::string authority = rest.substr(0, path);
    if (const auto at = authority.rfind('@'); at != std::string::npos) {
        const std::string before = authority.substr(0, at);
        const auto colon = before.find(':');
        place.authorization = io::basic_authorization(
            before.substr(0, colon), colon == std::string::npos ? "" : before.substr(colon + 1));
        authority = authority.substr(at + 1);
    }
    place.shown = scheme + "://" + authority + place.target;
    const auto bracket = authority.rfind(']');
    if (authority.find(':', bracket == std::string::npos ? 0 : bracket) == std::string::npos)
        authority += scheme == "https" ? ":443" : ":80";
    const auto endpoint = io::parse_endpoint(scheme + "://" + authority);
    if (endpoint.has_error())
        return Failure{InstallErrc::arguments_wrong, "not an address: " + place.shown};
    place.endpoint = endpoint.value();
    return place;
}

/// The size of the whole out of "bytes 0-99/12345".
std::optional<std::uint64_t> total_of(std::string_view content_range)
{
    const auto slash = content_range.rfind('/');
    if (slash == std::string_view::npos) return {};
    const std::string_view digits = content_range.substr(slash + 1);
    std::uint64_t total = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), total);
    if (error != std::errc{} || end != digits.data() + digits.size()) return {};
    return total;
}

struct Fetch {
    Place place;
    std::string file;
    std::function<void(unsigned)> on_progress;
};

io::Awaitable<Outcome<void>> fetch(Fetch order)
{
    const auto failed = [&order](const std::string& why) {
        return Failure{InstallErrc::download_failed, order.place.shown + ": " + why};
    };
    io::HttpClientConfig config;
    config.endpoint = order.place.endpoint;
    config.authorization = order.place.authorization;
    config.response_body_max = body_max;
    io::HttpClient client{co_await boost::asio::this_coro::executor, std::move(config)};
    std::ofstream output{order.file, std::ios::binary | std::ios::trunc};
    std::uint64_t have = 0;
    for (std::uint64_t total = 1; have < total;) {
        io::Request request;
        request.target = order.place.target;
        request.headers.set(
            "Range",
            "bytes=" + std::to_string(have) + "-" + std::to_string(have + piece_bytes - 1));
        const Duration limit = have == 0 ? whole_limit : piece_limit;
        const auto answer = co_await client.request(std::move(request), limit);
        if (answer.has_error()) co_return failed(answer.error().message());
        const io::Response& response = answer.value();
        if (response.status != 200 && response.status != 206)
            co_return failed("the answer is " + std::to_string(response.status));
        if (response.body.empty()) co_return failed("the answer is empty");
        output << response.body;
        have += response.body.size();
        total = have;
        if (response.status == 206)
            total = total_of(response.headers.find("Content-Range")).value_or(0);
        if (total == 0) co_return failed("the answer does not say how much there is");
        order.on_progress(static_cast<unsigned>(have * 100 / total));
    }
    if (!output.flush())
        co_return Failure{InstallErrc::system_failed, "cannot write " + order.file};
    co_return Outcome<void>{};
}

}  // namespace

Outcome<void> download(
    const std::string& uri,
    const std::string& file,
    const std::function<void(unsigned percent)>& on_progress)
{
    auto place = parse_uri(uri);
    if (place.has_error()) return place.error();
    boost::asio::io_context loop{1};
    Outcome<void> outcome = Failure{InstallErrc::download_failed, uri};
    Fetch order{std::move(place.value()), file, on_progress};
    boost::asio::co_spawn(
        loop, fetch(std::move(order)), [&](std::exception_ptr thrown, Outcome<void> done) {
            if (thrown) std::rethrow_exception(thrown);
            outcome = std::move(done);
        });
    loop.run();
    return outcome;
}

}  // namespace mysos::executor
