#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/background_process.hpp"
#include "core/ports/process.hpp"

namespace amp {

/// Tools on this machine, by posix_spawn and poll, found in PATH, with amp's own environment. Not
/// Boost.Process: in 1.81 its limit_handles kills the child silently, without it children inherit each
/// other's pipes and never see their end, and a missing program has no name. spawn() of this folder is for
/// tasks: those die with us and have one output.
class ToolProcess : public Process, public BackgroundProcess {
  public:
    ToolResult run(const std::vector<std::string>& argv, const std::string& cwd, double timeout_s) override;
    ToolResult run_while(const std::vector<std::string>& argv, const std::string& cwd,
                         const std::function<bool()>& go_on) override;
    std::unique_ptr<RunningTool> start(const std::vector<std::string>& argv, const std::string& cwd) override;

  private:
    static ToolResult run(const std::vector<std::string>& argv, const std::string& cwd, double timeout_s,
                          const std::function<bool()>& go_on);
};

}  // namespace amp
