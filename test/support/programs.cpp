#include "test/support/programs.hpp"

#include "test/support/run.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace mysos::test {

namespace fs = std::filesystem;

std::string built(const std::string& relative)
{
    return std::string{MYSOS_BINARY_DIR} + "/" + relative;
}

io::Response http(std::uint16_t port, io::Request request)
{
    boost::asio::io_context context{1};
    io::HttpClientConfig config;
    config.endpoint.host = "127.0.0.1";
    config.endpoint.port = port;
    io::HttpClient client{context.get_executor(), std::move(config)};
    const std::string what = request.method + " " + request.target;
    Result<io::Response> response =
        run(context, client.request(std::move(request), std::chrono::seconds{60}));
    if (!response) throw std::runtime_error{what + ": " + response.error().message()};
    return std::move(*response);
}

io::Response get(std::uint16_t port, const std::string& target)
{
    io::Request request;
    request.target = target;
    return http(port, std::move(request));
}

io::Response send_form(
    std::uint16_t port,
    const std::string& method,
    const std::string& target,
    const std::string& body)
{
    io::Request request;
    request.method = method;
    request.target = target;
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = body;
    return http(port, std::move(request));
}

void await_true(const std::string& what, const std::function<bool()>& holds)
{
    constexpr std::chrono::milliseconds between{50};
    constexpr std::chrono::seconds patience{100};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error{"never: " + what};
        // The other side is a program that only answers when asked.
        std::this_thread::sleep_for(between);
    }
}

StandinProgram::StandinProgram(
    const fs::path& directory, int agents, const std::vector<std::string>& more_flags)
{
    fs::create_directories(directory);
    Process::Order order;
    order.arguments = {
        built("test/standin/mesos-standin"),
        "--ip=127.0.0.1",
        "--hostname=127.0.0.1",
        "--port=0",
        "--agents=" + std::to_string(agents),
        "--work_dir=" + (directory / "mesos").string(),
        "--resources=cpus:4;mem:4096;disk:10000;ports:[" + std::to_string(ports_.first()) + "-" +
            std::to_string(ports_.last()) + "]"};
    order.arguments.insert(order.arguments.end(), more_flags.begin(), more_flags.end());
    order.output = directory / "standin.log";
    process_ = std::make_unique<Process>(std::move(order));
    const std::string line = process_->wait_for_line("\"master\":");
    port_ = nlohmann::json::parse(line).at("master").get<std::uint16_t>();
}

SchedulerProgram::SchedulerProgram(Order order)
{
    fs::create_directories(order.directory);
    Process::Order start;
    start.arguments = {
        built("scheduler/mysos-scheduler"),
        "--port=0",
        "--bind=127.0.0.1",
        "--zk_url=" + order.zk_url,
        "--mesos_master=" + order.mesos_master,
        "--work_dir=" + (order.directory / "work").string()};
    start.arguments.insert(start.arguments.end(), order.more_flags.begin(), order.more_flags.end());
    // Each run has a file of its own, so that a line of an earlier one is not taken for a new one.
    int number = 0;
    do {
        start.output = order.directory / ("scheduler." + std::to_string(++number) + ".log");
    } while (fs::exists(start.output));
    process_ = std::make_unique<Process>(std::move(start));
}

std::uint16_t SchedulerProgram::port()
{
    if (port_ == 0) {
        const std::string line = process_->wait_for_line("scheduler: listens address=");
        port_ = static_cast<std::uint16_t>(std::stoi(after(line, "address=127.0.0.1:")));
    }
    return port_;
}

nlohmann::json SchedulerProgram::get_json(const std::string& target)
{
    return nlohmann::json::parse(get(port(), target).body);
}

}  // namespace mysos::test
