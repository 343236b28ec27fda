#pragma once

#include "cli/common.hpp"
#include "cli/follow_choice.hpp"
#include "core/base/error.hpp"
#include "core/run/start.hpp"

namespace amp {

struct Session;

/// `amp run [FLOW]`: starts a run and drives it to its end.
struct RunCommand {
    StartOptions start;
    FollowChoice follow;
    bool contain_all = false;  ///< tasks of all steps with an image run in it
    bool dry_run = false;      ///< as `amp plan`
    NameValues slips;          ///< parameters that look like a misspelt option, and that option
};

ExitCode execute(Session& session, const RunCommand& command);

}  // namespace amp
