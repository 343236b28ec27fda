#pragma once

#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp put NAME VALUE|@FILE|-`, inside a task: makes an artifact.
struct PutCommand {
    std::string name;
    std::string value;  ///< JSON, else a string; @PATH: a file or folder; -: the value is on standard input
};

ExitCode execute(Session& session, const PutCommand& command);

}  // namespace amp
