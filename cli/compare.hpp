#pragma once

#include <string>
#include <vector>

#include "cli/runs.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp compare [RUN…]`: runs side by side.
struct CompareCommand {
    std::vector<std::string> runs;
    RunsCommand filter;  ///< chooses runs where none are named
    bool all_columns = false;
    bool system = false;  ///< also what amp has sampled of tasks
    bool csv = false;
};

ExitCode execute(Session& session, const CompareCommand& command);

}  // namespace amp
