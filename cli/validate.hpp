#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp validate [FLOW...]`: every error of the flows, in one pass.
struct ValidateCommand {
    std::vector<std::string> flows;  ///< paths; empty: the project's flow
    std::string format = "text";     ///< or "json"
};

ExitCode execute(Session& session, const ValidateCommand& command);

}  // namespace amp
