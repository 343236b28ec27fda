#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp help [TOPIC]`, and `-h` anywhere.
struct HelpCommand {
    std::string topic;   ///< a command or a topic; empty: the overview
    bool brief = false;  ///< by -h: of a command, less than its whole page
};

ExitCode execute(Session& session, const HelpCommand& command);

}  // namespace amp
