#include "common/io/zookeeper_answers.hpp"

#include "common/io/zookeeper_impl.hpp"

#include <algorithm>

namespace mysos::zookeeper::answers {
namespace {

Stat from_library(const ::Stat& stat)
{
    return {
        .version = Version{stat.version},
        .child_count = stat.numChildren,
        .ephemeral_owner = stat.ephemeralOwner,
        .created_zxid = stat.czxid};
}

}  // namespace

void nothing(int code, const void* context)
{
    static_cast<void>(Client::Impl::answered(context, code));
}

void path(int code, const char* value, const void* context)
{
    const auto request = Client::Impl::answered(context, code);
    if (request && code == ZOK) request->data = value;
}

void stat(int code, const ::Stat* stat, const void* context)
{
    const auto request = Client::Impl::answered(context, code);
    if (request && code == ZOK) request->stat = from_library(*stat);
}

void node(int code, const char* data, int size, const ::Stat* stat, const void* context)
{
    const auto request = Client::Impl::answered(context, code);
    if (!request || code != ZOK) return;
    // Size -1: the node was made without data.
    if (size > 0) request->data.assign(data, static_cast<std::size_t>(size));
    request->stat = from_library(*stat);
}

void names(int code, const String_vector* names, const void* context)
{
    const auto request = Client::Impl::answered(context, code);
    if (!request || code != ZOK) return;
    request->names.assign(names->data, names->data + names->count);
    std::ranges::sort(request->names);
}

}  // namespace mysos::zookeeper::answers
