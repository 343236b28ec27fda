#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp config [KEY]`: the settings in effect.
struct ConfigCommand {
    std::string key;  ///< empty: all
    bool show_origin = false;
};

ExitCode execute(Session& session, const ConfigCommand& command);

}  // namespace amp
