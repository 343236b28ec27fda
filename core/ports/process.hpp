#pragma once

#include <functional>
#include <string>
#include <vector>

namespace amp {

struct ToolResult {
    int exit = 0;  ///< exit status; -1 when a signal ended it or it never started
    int signal = 0;
    bool timed_out = false;
    bool truncated = false;  ///< out or err was longer than 64 MiB: the rest was dropped
    std::string out;
    std::string err;
};

/// Runs foreign tools (git, later ssh and the like) to their end. Never a shell.
class Process {
  public:
    virtual ~Process() = default;
    /// stdin is empty; out and err are captured up to 64 MiB each; after `timeout_s` (0: never) it is killed
    /// with its group. Returns when the program has ended, also while a grandchild still holds its output
    /// open.
    /// @throws Error(not_found) naming the program, or `cwd`, when it is not there
    virtual ToolResult run(const std::vector<std::string>& argv, const std::string& cwd,
                           double timeout_s) = 0;
    /// For tools that may work long while the user waits: as run without a limit of time, but only while
    /// `go_on` says so, which is asked a few times a second. What was stopped so has timed out.
    virtual ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                                 const std::function<bool()>& go_on) = 0;
};

}  // namespace amp
