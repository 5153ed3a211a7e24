#include "test/support/zookeeper_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace mysos::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Ports that were free an instant ago, all different since they are held together.
std::vector<std::uint16_t> free_ports(std::size_t count)
{
    asio::io_context io;
    std::vector<tcp::acceptor> held;
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < count; ++i) {
        held.emplace_back(io, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
        ports.push_back(held.back().local_endpoint().port());
    }
    return ports;
}

struct Descriptor {
    explicit Descriptor(int number) : fd{number} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd); }
    int fd;
};

}  // namespace

ZookeeperServer::ZookeeperServer(std::size_t count) : servers_(count)
{
    std::string pattern = (std::filesystem::temp_directory_path() / "mysos-zk-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    directory_ = pattern;
    // Somebody may take a port between our look and the server's bind: then anew with others.
    for (int attempt = 0; attempt < 3; ++attempt) {
        configure();
        for (std::size_t i = 0; i < count; ++i) launch(i);
        bool serving = true;
        for (std::size_t i = 0; i < count && serving; ++i) serving = wait_until_serving(i);
        if (serving) return;
        stop_all();
    }
    throw std::runtime_error{"ZooKeeper does not start, see " + directory_.string()};
}

ZookeeperServer::~ZookeeperServer()
{
    stop_all();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void ZookeeperServer::configure()
{
    const std::vector<std::uint16_t> ports = free_ports(3 * servers_.size());
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        servers_[i].client_port = ports[3 * i];
        servers_[i].quorum_port = ports[3 * i + 1];
        servers_[i].election_port = ports[3 * i + 2];
    }
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        const auto home = directory_ / std::to_string(i + 1);
        std::filesystem::create_directories(home / "data");
        std::ofstream{home / "data" / "myid"} << i + 1 << '\n';
        std::ofstream config{home / "zoo.cfg"};
        config << "tickTime=500\ninitLimit=20\nsyncLimit=10\nminSessionTimeout=1000\n"
                  "maxSessionTimeout=60000\nmaxClientCnxns=0\nadmin.enableServer=false\n"
                  "4lw.commands.whitelist=ruok,srvr\nautopurge.purgeInterval=0\n"
               << "dataDir=" << (home / "data").string() << "\nclientPortAddress=127.0.0.1\n"
               << "clientPort=" << servers_[i].client_port << '\n';
        if (servers_.size() == 1) continue;
        for (std::size_t j = 0; j < servers_.size(); ++j)
            config << "server." << j + 1 << "=127.0.0.1:" << servers_[j].quorum_port << ':'
                   << servers_[j].election_port << '\n';
    }
}

void ZookeeperServer::launch(std::size_t index)
{
    const auto home = directory_ / std::to_string(index + 1);
    const std::string config = (home / "zoo.cfg").string();
    const std::string output = (home / "out").string();
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error{"fork"};
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execlp(
            "java",
            "java",
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-Dzookeeper.forceSync=no",
            "-Dzookeeper.jmx.log4j.disable=true",
            "-cp",
            "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
            "org.apache.zookeeper.server.quorum.QuorumPeerMain",
            config.c_str(),
            nullptr);
        ::_exit(127);
    }
    servers_[index].pid = pid;
}

std::string ZookeeperServer::mode(std::size_t index) const
{
    // By hand, for the timeout: a server that is just starting may accept and never answer.
    const Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(servers_[index].client_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API is made like
    // this.
    if (::connect(socket.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return {};
    if (::send(socket.fd, "srvr", 4, MSG_NOSIGNAL) != 4) return {};
    std::string answer;
    std::array<char, 1024> buffer{};
    for (;;) {
        const ssize_t got = ::recv(socket.fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    constexpr std::string_view key = "Mode: ";
    const std::size_t at = answer.find(key);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + key.size();
    return answer.substr(begin, answer.find('\n', begin) - begin);
}

bool ZookeeperServer::wait_until_serving(std::size_t index)
{
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    while (std::chrono::steady_clock::now() < deadline) {
        if (!mode(index).empty()) return true;
        if (::waitpid(servers_[index].pid, nullptr, WNOHANG) == servers_[index].pid) {
            servers_[index].pid = -1;
            return false;
        }
        std::this_thread::sleep_for(20ms);
    }
    return false;
}

std::vector<HostPort> ZookeeperServer::addresses() const
{
    std::vector<HostPort> out;
    for (const Server& server : servers_)
        out.push_back({.host = "127.0.0.1", .port = server.client_port});
    return out;
}

std::string ZookeeperServer::url(const std::string& path) const
{
    return "zk://" + print(addresses()) + path;
}

std::size_t ZookeeperServer::leader() const
{
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (servers_[i].pid < 0) continue;
        const std::string is = mode(i);
        if (is == "leader" || is == "standalone") return i;
    }
    throw std::runtime_error{"the ensemble has no leader"};
}

void ZookeeperServer::kill(std::size_t index)
{
    pid_t& pid = servers_.at(index).pid;
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
}

void ZookeeperServer::pause(std::size_t index)
{
    ::kill(servers_.at(index).pid, SIGSTOP);
    ::waitpid(servers_[index].pid, nullptr, WUNTRACED);
}

void ZookeeperServer::resume(std::size_t index)
{
    ::kill(servers_.at(index).pid, SIGCONT);
}

void ZookeeperServer::start(std::size_t index)
{
    launch(index);
    if (!wait_until_serving(index)) throw std::runtime_error{"ZooKeeper does not start again"};
}

void ZookeeperServer::stop_all()
{
    for (std::size_t i = 0; i < servers_.size(); ++i) kill(i);
}

}  // namespace mysos::test
