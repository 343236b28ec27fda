#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp rm RUN...`: removes runs.
struct RmCommand {
    std::vector<std::string> runs;
    bool force = false;
    bool yes = false;  ///< do not ask
};

ExitCode execute(Session& session, const RmCommand& command);

}  // namespace amp
