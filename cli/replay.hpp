#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp replay RUN/STEP[/INDEX]`: one task again.
struct ReplayCommand {
    TaskTarget target;
    std::optional<std::uint32_t> attempt;
    bool shell = false;
    bool task_exit = false;  ///< --exit-code=task: exits as the task does
    std::string folder;
};

ExitCode execute(Session& session, const ReplayCommand& command);

}  // namespace amp
