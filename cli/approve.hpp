#pragma once

#include <string>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp approve RUN/STEP[/INDEX]`: answers a task that waits for approval.
struct ApproveCommand {
    TaskTarget target;
    bool reject = false;
    std::string comment;
};

ExitCode execute(Session& session, const ApproveCommand& command);

}  // namespace amp
