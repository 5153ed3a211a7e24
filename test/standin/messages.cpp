#include "test/standin/messages.hpp"

#include <algorithm>

namespace mysos::standin {

bool is_terminal(v1::TaskState state)
{
    switch (state) {
        case v1::TASK_FINISHED:
        case v1::TASK_FAILED:
        case v1::TASK_KILLED:
        case v1::TASK_ERROR:
        case v1::TASK_LOST:
        case v1::TASK_DROPPED:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR: return true;
        default: return false;
    }
}

bool has_capability(const v1::FrameworkInfo& info, v1::FrameworkInfo::Capability::Type capability)
{
    return std::ranges::any_of(
        info.capabilities(), [&](const auto& one) { return one.type() == capability; });
}

v1::TaskState lost_as(const v1::FrameworkInfo& info, v1::TaskState aware)
{
    return is_partition_aware(info) ? aware : v1::TASK_LOST;
}

std::string uuid_text(const std::string& bytes)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        const auto byte = static_cast<unsigned char>(bytes[i]);
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

}  // namespace mysos::standin
