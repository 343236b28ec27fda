#pragma once

#include "cli/common.hpp"
#include "cli/follow_choice.hpp"
#include "core/base/error.hpp"
#include "core/run/start.hpp"

namespace amp {

struct Session;

/// `amp resume [RUN]`: goes on with a run, or starts one that reuses what is unchanged.
struct ResumeCommand {
    ResumeOptions resume;
    FollowChoice follow;
    NameValues slips;  ///< parameters that look like a misspelt option, and that option
};

ExitCode execute(Session& session, const ResumeCommand& command);

}  // namespace amp
