#pragma once

#include <functional>
#include <string>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp task exec SPEC`: what backends start where a task runs.
struct TaskCommand {
    std::string spec;  ///< a file; -: standard input
};

/// Does an attempt in this process. @param echo whether what it prints is shown @return what to exit with
using ExecTask = std::function<int(const std::string& spec, bool echo,
                                   const std::function<void(const std::string&)>& say)>;

ExitCode execute(Session& session, const TaskCommand& command, const ExecTask& exec_task);

}  // namespace amp
