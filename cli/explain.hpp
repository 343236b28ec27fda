#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp explain CODE`: what an error means, with an example and its mended form.
struct ExplainCommand {
    std::string code;  ///< empty: the list of codes
};

ExitCode execute(Session& session, const ExplainCommand& command);

}  // namespace amp
