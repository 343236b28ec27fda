#pragma once

#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp artifacts [RUN[/STEP[/INDEX]]]`: what tasks made.
struct ArtifactsCommand {
    TaskTarget target;
};

ExitCode execute(Session& session, const ArtifactsCommand& command);

}  // namespace amp
