#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp fsck`: verifies a store, and repairs it when told.
struct FsckCommand {
    std::vector<std::string> runs;
    bool repair = false;
};

ExitCode execute(Session& session, const FsckCommand& command);

}  // namespace amp
