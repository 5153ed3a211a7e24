#include "common/mesos/event.hpp"

namespace mysos::mesos {

const char* to_text(TaskState state)
{
    switch (state) {
        case TaskState::staging: return "TASK_STAGING";
        case TaskState::starting: return "TASK_STARTING";
        case TaskState::running: return "TASK_RUNNING";
        case TaskState::killing: return "TASK_KILLING";
        case TaskState::finished: return "TASK_FINISHED";
        case TaskState::failed: return "TASK_FAILED";
        case TaskState::killed: return "TASK_KILLED";
        case TaskState::error: return "TASK_ERROR";
        case TaskState::lost: return "TASK_LOST";
        case TaskState::dropped: return "TASK_DROPPED";
        case TaskState::unreachable: return "TASK_UNREACHABLE";
        case TaskState::gone: return "TASK_GONE";
        case TaskState::gone_by_operator: return "TASK_GONE_BY_OPERATOR";
        case TaskState::unknown: return "TASK_UNKNOWN";
    }
    return "TASK_UNKNOWN";
}

}  // namespace mysos::mesos
