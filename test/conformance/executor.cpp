#include "test/conformance/framework.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mysos::conformance {

using namespace std::chrono_literals;

Executor::Executor(const Json& offer, std::string framework, std::string executor)
    : agent_{text(offer, "/url/address/ip"), at(offer, "/url/address/port").get<std::uint16_t>()},
      framework_{std::move(framework)},
      executor_{std::move(executor)}
{}

Response Executor::call(Json body) const
{
    if (!body.contains("executor_id")) body["executor_id"] = {{"value", executor_}};
    if (!body.contains("framework_id")) body["framework_id"] = {{"value", framework_}};
    return fetch(agent_, json_request("/slave(1)/api/v1/executor", body));
}

void Executor::must(Json body) const
{
    const Response response = call(std::move(body));
    require_equal(response.status, 202, "executor call, " + response.body);
}

void Executor::subscribe(const Json& subscribe)
{
    const Json body{
        {"type", "SUBSCRIBE"},
        {"executor_id", {{"value", executor_}}},
        {"framework_id", {{"value", framework_}}},
        {"subscribe", subscribe}};
    const Deadline deadline = in(30s);
    std::string why = "the agent never knew the executor";
    while (std::chrono::steady_clock::now() < deadline) {
        try {
            auto stream = std::make_unique<RecordStream>(
                agent_, json_request("/slave(1)/api/v1/executor", body));
            if (stream->head().status == 200) {
                stream_ = std::move(stream);
                return;
            }
        } catch (const Failed& problem) {
            why = problem.what();
        }
        // Not known yet, the agent recovers or is down: it says so at once, so ask after a breath.
        ::poll(nullptr, 0, 50);
    }
    throw Failed(why);
}

Json Executor::await(const std::string& type, std::chrono::milliseconds within)
{
    const Deadline deadline = in(within);
    for (;;) {
        const std::optional<std::string> record = stream_->next(deadline);
        if (!record) throw Failed("no " + type + " came to the executor");
        Json event = Json::parse(*record, nullptr, false);
        if (event.value("type", "") == type) return event;
    }
}

void Executor::await_none(const std::string& type, std::chrono::milliseconds quiet)
{
    const Deadline deadline = in(quiet);
    while (const std::optional<std::string> record = stream_->next(deadline)) {
        const Json event = Json::parse(*record, nullptr, false);
        require(event.value("type", "") != type, "came, but must not: " + *record);
    }
}

std::vector<std::string> Executor::await_end()
{
    std::vector<std::string> types;
    const Deadline deadline = in(20s);
    while (const std::optional<std::string> record = stream_->next(deadline)) {
        types.push_back(Json::parse(*record, nullptr, false).value("type", ""));
    }
    require(stream_->ended(), "the executor's stream does not end");
    return types;
}

Json Executor::update(const std::string& task, const std::string& state) const
{
    return {
        {"type", "UPDATE"},
        {"update",
         {{"status",
           {{"task_id", {{"value", task}}},
            {"executor_id", {{"value", executor_}}},
            {"state", state},
            {"source", "SOURCE_EXECUTOR"},
            {"uuid", new_uuid()}}}}}};
}

Listener::Listener(std::string host)
    : host_{std::move(host)}, socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}
{
    sockaddr_in local{};
    local.sin_family = AF_INET;
    socklen_t size = sizeof local;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&local));
    if (::inet_pton(AF_INET, host_.c_str(), &local.sin_addr) != 1 ||
        ::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0) {
        throw Failed("cannot listen on " + host_);
    }
    port_ = ntohs(local.sin_port);
}

Listener::~Listener()
{
    ::close(socket_);
}

std::string Listener::device() const
{
    return "/dev/tcp/" + host_ + "/" + std::to_string(port_);
}

std::string Listener::accept_all(Deadline deadline) const
{
    const auto left = [&] {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        return static_cast<int>(std::max<std::int64_t>(ms.count(), 0));
    };
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, left()) <= 0) throw Failed("the launched command did not report");
    const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    std::string all;
    std::array<char, 4096> bytes{};
    pollfd readable{peer, POLLIN, 0};
    while (::poll(&readable, 1, left()) > 0) {
        const ssize_t got = ::recv(peer, bytes.data(), bytes.size(), 0);
        if (got <= 0) break;
        all.append(bytes.data(), static_cast<std::size_t>(got));
    }
    ::close(peer);
    return all;
}

}  // namespace mysos::conformance
