#pragma once

#include "common/mesos/event.hpp"
#include "common/mesos/resources.hpp"

#include <string>
#include <utility>

/// Offers as a master would make them, for tests.
namespace mysos::test {

inline mesos::Resource offered(mesos::Resource resource)
{
    resource.allocation_role = "mysos";
    return resource;
}
inline mesos::Resource cpus(std::int64_t milli)
{
    return offered(mesos::scalar("cpus", milli));
}
inline mesos::Resource mem(std::int64_t mb)
{
    return offered(mesos::scalar("mem", mesos::whole(mb)));
}
inline mesos::Resource disk(std::int64_t mb)
{
    return offered(mesos::scalar("disk", mesos::whole(mb)));
}
inline mesos::Resource ports(std::uint64_t begin, std::uint64_t end)
{
    return offered(mesos::ports({{begin, end}}));
}
inline mesos::Resource ours(mesos::Resource resource, const std::string& id)
{
    return reserved(std::move(resource), "mysos", std::nullopt, {id});
}
inline mesos::Resource stored(std::int64_t mb, const std::string& id)
{
    mesos::Resource resource = ours(disk(mb), id);
    resource.persistence = mesos::Persistence{{id}, std::nullopt};
    resource.volume = mesos::Volume{"data", false};
    return resource;
}

/// Agent `number`, with everything free.
inline mesos::Offer offer(int number, mesos::Resources resources)
{
    mesos::Offer result;
    result.id.text = "offer-" + std::to_string(number);
    result.agent_id.text = "agent-" + std::to_string(number);
    result.hostname = "host-" + std::to_string(number);
    result.ip = "10.0.0." + std::to_string(number);
    result.agent_port = 5051;
    result.role = "mysos";
    result.resources = std::move(resources);
    return result;
}
inline mesos::Offer big_offer(int number)
{
    return offer(number, {cpus(4000), mem(4096), disk(8192), ports(31000, 31099)});
}

}  // namespace mysos::test
