#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/ports/process.hpp"

namespace amp {

/// For tools that may work long while the user waits.
class StoppableProcess {
  public:
    virtual ~StoppableProcess() = default;
    /// As Process::run without a limit of time, but only while `go_on` says so, which is asked a few times a
    /// second. What was stopped so has timed out.
    virtual ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                                 const std::function<bool()>& go_on) = 0;
};

}  // namespace amp
