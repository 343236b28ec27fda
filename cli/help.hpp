#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp help [TOPIC]`, and `-h` anywhere.
struct HelpCommand {
    std::string topic;  ///< a command or a topic; empty: the overview
};

ExitCode execute(Session& session, const HelpCommand& command);

}  // namespace amp
