#pragma once

#include <cstdint>
#include <optional>

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp logs [RUN[/STEP[/INDEX]]]`: what tasks printed.
struct LogsCommand {
    TaskTarget target;
    std::optional<std::uint32_t> attempt;  ///< default: the last of each task
    bool follow = false;
};

ExitCode execute(Session& session, const LogsCommand& command);

}  // namespace amp
