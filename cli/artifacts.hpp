#pragma once

#include "cli/common.hpp"
#include "cli/target.hpp"
#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp artifacts [RUN[/STEP[/INDEX]]]`: what tasks made.
struct ArtifactsCommand {
    TaskTarget target;
    ListChoice list;
};

ExitCode execute(Session& session, const ArtifactsCommand& command);

}  // namespace amp
