#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct ReplayQuery {
    std::string run = {};                       ///< reference
    std::string step = {};                      ///< of it
    std::optional<TaskIndex> index = {};        ///< unset: the only task of the step
    std::optional<std::uint32_t> attempt = {};  ///< default: the last
    std::string folder = {};  ///< new or empty; made here: `code`, and `task` with `in` and `out`
    bool shell = false;       ///< $SHELL instead of the task's command
};

/// What is to be done again, before it is.
struct ReplayBegin {
    std::string run;
    TaskName task;
    std::uint32_t attempt = 1;
    std::string folder;                ///< absolute
    std::string cwd;                   ///< where it starts
    std::vector<std::string> missing;  ///< paths of the code whose content was not kept
};

struct Replay {
    ReplayBegin begin;
    AttemptResult result;
    std::vector<std::string> missing_outputs;  ///< declared, not optional, and not there
};

/// Who hears of it while it goes.
struct ReplayListener {
    std::function<void(const ReplayBegin&)> begins;
    std::function<void(std::string_view)> prints;
};

/// Does one task of a run again: the same inputs, parameters and command, with the run's code checked out
/// into the folder. Nothing is written to the run. What the task inherits from its caller's environment is
/// what stands there now.
/// @throws Error(not_found) with a did-you-mean, or when it never ran, with why; Error(usage) when the step
/// has several tasks and none is named, or the folder is not empty
Replay replay_task(Services& services, const Project& project, const ReplayQuery& query,
                   const ReplayListener& listener);

/// What a shell would exit with: its status, or 128 and the signal.
int exit_status(const AttemptResult& result);

}  // namespace amp
