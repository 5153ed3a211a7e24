#include "test/standin/options.hpp"

#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace {

using namespace mysos::standin;

void announce(const Standin& standin, const std::string& port_file)
{
    const std::string text = standin.ports().dump();
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
    if (port_file.empty()) return;
    // Whole or not there: a script waits for the file to appear.
    const std::string next = port_file + ".next";
    std::ofstream{next} << text << "\n";
    std::filesystem::rename(next, port_file);
}

int run(const CommandLine& line)
{
    std::filesystem::create_directories(line.options.work_dir);
    boost::asio::io_context io{1};
    Standin standin{io, line.options};
    boost::asio::signal_set signals{io, SIGTERM, SIGINT};
    signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
    standin.start();
    announce(standin, line.port_file);
    io.run();
    standin.end();
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        if (argc > 1 && std::string_view{argv[1]} == fetcher_argument) return run_fetcher();
        const auto line = parse_command_line(argc, argv);
        return line ? run(*line) : 0;
    } catch (const std::invalid_argument& fault) {
        std::fprintf(stderr, "mesos-standin: %s\nTry --help.\n", fault.what());
        return 2;
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "mesos-standin: %s\n", fault.what());
        return 1;
    }
}
