#pragma once

#include "core/base/error.hpp"
#include "core/run/start.hpp"

namespace amp {

struct Session;

/// `amp resume [RUN]`: goes on with a run, or starts one that reuses what is unchanged.
struct ResumeCommand {
    ResumeOptions resume;
    bool events = false;  ///< --events=ndjson: a JSON line an event
};

ExitCode execute(Session& session, const ResumeCommand& command);

}  // namespace amp
