#pragma once

#include <string>

#include "backends/local/task_run.hpp"
#include "backends/system/spawn.hpp"
#include "core/task/environment.hpp"

namespace amp {

/// Starts the main process of a task: its environment, its working folder, the pipe of its output.
class TaskLauncher {
  public:
    enum class Outcome {
        running,  ///< pid, output and the time of start are set
        failed,   ///< the result says why, cause user
        later     ///< the machine has no room (EAGAIN and the like): try again; the result's message says why
    };            /// Raises our own limit of open files, not that of the tasks.
    /// @param amp_folder put in front of PATH; empty: none is needed
    explicit TaskLauncher(const std::string& amp_folder);

    /// Call from the main thread: tasks die with the thread that starts them.
    Outcome launch(TaskRun& run, Timestamp now);

  private:
    void fill_environment(TaskEnvironment& environment, const TaskRun& run) const;
    Outcome start(TaskRun& run, TaskEnvironment& environment, const std::string& program, Timestamp now);

    BaseEnvironment inherited_;
    BaseEnvironment minimal_;
    UniqueFd null_;
    rlimit open_files_{};  ///< what tasks get
};

}  // namespace amp
