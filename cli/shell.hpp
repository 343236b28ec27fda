#pragma once

#include <string>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp shell [RUN] STEP[/INDEX]`: a terminal where a task would be.
struct TaskShellCommand {
    ShellTarget target;
    std::string command;   ///< -c
    bool release = false;  ///< of a held place: it is needed no longer
};

ExitCode execute(Session& session, const TaskShellCommand& command);

}  // namespace amp
