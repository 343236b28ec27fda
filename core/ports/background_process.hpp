#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace amp {

/// A tool at work. When it is let go of, it is killed with its group.
class RunningTool {
  public:
    virtual ~RunningTool() = default;
    /// Readable when it has ended; -1: the kernel cannot tell (before 5.3), so ask again in a moment.
    virtual int fd() const = 0;
    /// Its exit status once it has ended, -1 when a signal ended it; nullopt: it is at work.
    virtual std::optional<int> exit() = 0;
};

/// For tools that loops start which cannot wait for them.
class BackgroundProcess {
  public:
    virtual ~BackgroundProcess() = default;
    /// Returns at once. stdin is empty, and nobody sees what it prints.
    /// @throws as Process::run
    virtual std::unique_ptr<RunningTool> start(const std::vector<std::string>& argv,
                                               const std::string& cwd) = 0;
};

}  // namespace amp
