#include "test/standin/network.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <system_error>
#include <unistd.h>

namespace mysos::standin {

namespace {

int open_network(const std::string& path)
{
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) throw std::system_error{errno, std::generic_category(), path};
    return descriptor;
}

}  // namespace

InNetwork::InNetwork(const std::string& name)
{
    if (name.empty()) return;
    const int wanted = open_network("/run/netns/" + name);
    before_ = open_network("/proc/thread-self/ns/net");
    const int entered = setns(wanted, CLONE_NEWNET);
    const int why = errno;
    close(wanted);
    if (entered == 0) return;
    close(before_);
    throw std::system_error{why, std::generic_category(), "entering network " + name};
}

InNetwork::~InNetwork()
{
    if (before_ < 0) return;
    // Everything that follows would listen on the wrong host.
    if (setns(before_, CLONE_NEWNET) != 0) std::abort();
    close(before_);
}

}  // namespace mysos::standin
