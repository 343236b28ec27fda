#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp gc`: removes objects that nothing refers to, and runs when told.
struct GcCommand {
    std::string older_than;  ///< "30d"
    std::optional<std::size_t> keep_last;
    std::string grace;
    bool dry_run = false;
    bool yes = false;  ///< do not ask
};

ExitCode execute(Session& session, const GcCommand& command);

}  // namespace amp
