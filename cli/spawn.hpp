#pragma once

#include <string>

#include "cli/common.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp spawn FLOW`, inside a task: a run of its own beside the task's, under the same orchestrator.
struct SpawnCommand {
    std::string flow;
    NameValues params;
    std::string key;  ///< what makes it the same run when asked for again; empty: flow and parameters
    bool wait = false;
};

ExitCode execute(Session& session, const SpawnCommand& command);

}  // namespace amp
