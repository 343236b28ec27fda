#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/common.hpp"
#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp metrics [RUN[/STEP[/INDEX]]]`: the metrics that tasks told, in short, or all points of them.
struct MetricsCommand {
    TaskTarget target;
    std::optional<std::uint32_t> attempt;  ///< default: the last of each task
    std::vector<std::string> names;
    bool system = false;  ///< also what amp has sampled
    bool csv = false;     ///< all points; so does --json, a line each
    ListChoice list;
};

ExitCode execute(Session& session, const MetricsCommand& command);

}  // namespace amp
