#pragma once

#include <string>

#include "core/base/error.hpp"
#include "core/ports/files.hpp"

namespace amp {

struct Session;

/// `amp show [FLOW|RUN[/STEP[/INDEX]]]`: a flow as it is written, or a run as it went, or some of its tasks.
struct ShowCommand {
    std::string what;  ///< a path of a flow, or a run and maybe a task of it; empty: the latest run
    bool dot = false;
};

/// Is it a flow's file (it is there, or ends in .toml), rather than a run?
bool names_flow(Files& files, const std::string& what);

ExitCode execute(Session& session, const ShowCommand& command);

}  // namespace amp
