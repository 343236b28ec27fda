#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp cancel [RUN]`: asks whoever drives the run to end it.
struct CancelCommand {
    std::string run = "latest";
};

ExitCode execute(Session& session, const CancelCommand& command);

}  // namespace amp
