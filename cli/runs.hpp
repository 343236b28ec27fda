#pragma once

#include <cstddef>
#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp runs`: the runs of the project, newest first.
struct RunsCommand {
    std::string flow;
    std::string tag;
    std::string state;
    std::string since;  ///< a time, a date, or how long ago: "2d"
    std::string until;
    std::string where;
    std::string sort;
    std::size_t limit = 0;  ///< 0: all
};

ExitCode execute(Session& session, const RunsCommand& command);

}  // namespace amp
