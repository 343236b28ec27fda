#pragma once

#include <string>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp why RUN/STEP[/INDEX]`: why a task is what it is.
struct WhyCommand {
    TaskTarget target;
    std::string against;
};

ExitCode execute(Session& session, const WhyCommand& command);

}  // namespace amp
