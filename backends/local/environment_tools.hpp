#pragma once

#include <functional>
#include <string>

#include "core/task/python_environment.hpp"

namespace amp {

/// Runs the programs that make an environment, in this process group, and with a limit of time for all of
/// them. They get this process's variables without those that would lead Python or a tool elsewhere.
class EnvironmentToolRunner {
  public:
    /// @param limit_s for all calls together
    explicit EnvironmentToolRunner(double limit_s);

    /// @param shown what it prints goes to our standard output too
    /// @return its exit status; 128 + N after a signal
    /// @throws Error(infrastructure) when the time is over, or it cannot be started
    int run(const EnvironmentCall& call, bool shown);
    /// The end of what all calls have printed.
    const std::string& output() const { return output_; }
    void forget_output() { output_.clear(); }

  private:
    void take(int fd, bool shown);
    double left_s() const;

    double deadline_s_;
    double limit_s_;
    std::string output_;
};

/// Looks for what a machine has. @param path PATH
EnvironmentTools find_environment_tools(EnvironmentToolRunner& runner, const EnvironmentOrder& order,
                                        const std::string& path);
/// The Python that would be taken, without starting it; empty: there is none.
std::string find_python(const std::string& asked, const std::string& path);

}  // namespace amp
