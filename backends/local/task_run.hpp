#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "backends/local/scratch.hpp"
#include "backends/system/event_loop.hpp"
#include "core/ports/backend.hpp"
#include "core/task/log_recorder.hpp"

namespace amp {

/// One attempt within a keeper, from its submission to its end.
struct TaskRun {
    enum class State {
        waiting,    ///< in the queue
        staging,    ///< its inputs are being laid
        starting,   ///< it has all it needs, and is started in this wake-up or soon
        running,    ///< its main process lives
        leftovers,  ///< that has ended; others of its processes have not
        collecting  ///< its outputs are being stored
    };

    explicit TaskRun(TaskSpec from) : id{from.task, from.attempt}, spec(std::move(from)) {
        result.task = id.task;
        result.attempt = id.attempt;
    }

    AttemptId id;
    TaskSpec spec;
    State state = State::waiting;
    bool in_log = false;  ///< its start stands in the keeper's log
    bool has_slots = false;
    bool dropped = false;  ///< forgotten before it started: leaves no trace
    std::unique_ptr<Scratch> scratch;
    std::vector<std::string> gpus;  ///< claimed for it
    double first_try = 0;           ///< of starting it; 0: not tried yet

    pid_t pid = -1;                    ///< and its process group
    UniqueFd output;                   ///< our end of its stdout and stderr
    std::unique_ptr<LogRecorder> log;  ///< made when it prints
    EventLoop::TimerId log_timer = 0;
    EventLoop::TimerId timeout_timer = 0;
    EventLoop::TimerId kill_timer = 0;

    Cause forced = Cause::none;  ///< why we end it
    std::string forced_message;
    bool killed = false;  ///< we have sent KILL
    double leftovers_since = 0;

    AttemptResult result;
};

}  // namespace amp
