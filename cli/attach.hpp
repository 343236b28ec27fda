#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp attach [RUN]`: follows a run that somebody else drives.
struct AttachCommand {
    std::string run = "latest";
    bool events = false;  ///< --events=ndjson: a JSON line an event
};

ExitCode execute(Session& session, const AttachCommand& command);

}  // namespace amp
