#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp diff RUN RUN`: what differs between two runs. Exits 0 whatever it finds, unless asked.
struct DiffCommand {
    std::string before;
    std::string after;
    bool patch = false;
    bool exit_code = false;  ///< exit with mismatch when they differ
};

ExitCode execute(Session& session, const DiffCommand& command);

}  // namespace amp
