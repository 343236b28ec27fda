#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp show [FLOW|RUN]`: a flow as it is written, or a run as it went.
struct ShowCommand {
    std::string what;  ///< a path of a flow, or a run; empty: the latest run
    bool dot = false;
};

ExitCode execute(Session& session, const ShowCommand& command);

}  // namespace amp
