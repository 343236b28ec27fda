#pragma once

#include <cstdint>
#include <optional>

#include "cli/common.hpp"
#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp logs [RUN[/STEP[/INDEX]]]`: what tasks printed.
struct LogsCommand {
    TaskTarget target;
    std::optional<std::uint32_t> attempt;  ///< default: the last of each task
    std::optional<std::uint32_t> rank;     ///< of a gang; default: all
    bool follow = false;
    ListChoice list;
};

ExitCode execute(Session& session, const LogsCommand& command);

}  // namespace amp
