#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <random>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace mysos::test {

/// A port of 127.0.0.1 that was free an instant ago, and is bound a moment later, perhaps again and
/// again. Below those that the kernel gives to outgoing connections, one of which would take it.
[[nodiscard]] inline std::uint16_t free_port()
{
    std::random_device random;
    std::uniform_int_distribution<std::uint16_t> port{12'000, 29'999};
    for (int attempt = 0; attempt < 100; ++attempt) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port(random));
        const auto* generic =
            reinterpret_cast<const sockaddr*>(&address);  // NOLINT: the sockets API
        const bool is_free = ::bind(fd, generic, sizeof address) == 0;
        ::close(fd);
        if (is_free) return ntohs(address.sin_port);
    }
    throw std::runtime_error("no free port");
}

}  // namespace mysos::test
