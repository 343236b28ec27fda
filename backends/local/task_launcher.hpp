#pragma once

#include <string>

#include "backends/local/containers.hpp"
#include "backends/local/task_run.hpp"
#include "backends/system/spawn.hpp"
#include "core/task/environment.hpp"

namespace amp {

/// Starts the main process of a task: its environment, its working folder, the pipe of its output.
class TaskLauncher {
  public:
    enum class Outcome {
        running,  ///< pid, output and the time of start are set, of all of its processes
        partly,   ///< not all of a gang could be started: it is to be killed, and `forced` says why
        failed,   ///< the result says why, cause user
        later     ///< the machine has no room (EAGAIN and the like): try again; the result's message says why
    };
    /// Raises our own limit of open files, not that of the tasks.
    /// @param amp_folder put in front of PATH; empty: none is needed
    /// @param python_folder put behind PYTHONPATH
    /// @param caller what tasks inherit, as "NAME=value"
    TaskLauncher(const std::string& amp_folder, const std::string& python_folder,
                 const std::vector<std::string>& caller = own_environment());

    /// Where tasks reach the keeper: AMP_SOCKET.
    void set_socket(const std::string& path) { socket_ = path; }
    /// For tasks that run in containers.
    void set_containers(Containers& containers) { containers_ = &containers; }

    /// Call from the main thread: tasks die with the thread that starts them.
    /// @param secrets variables that the spec only names
    Outcome launch(TaskRun& run, const Variables& secrets, Timestamp now);

    /// Starts `shell` in the place of the task's command: in the same folder, with the same environment, but
    /// with our standard streams, and in our process group. The spec's words are what it is given.
    Outcome launch_shell(TaskRun& run, const std::string& shell, const Variables& secrets, Timestamp now);

  private:
    Outcome launch(TaskRun& run, TaskProcess& process, const Variables& secrets, Timestamp now);
    Outcome launch_contained(TaskRun& run, TaskProcess& process, std::vector<std::string> words,
                             const Variables& secrets, bool interactive, Timestamp now);
    void fill_environment(TaskEnvironment& environment, const TaskRun& run, const TaskProcess& process) const;
    Outcome start(TaskRun& run, TaskProcess& process, TaskEnvironment& environment,
                  const std::string& program, std::vector<std::string> words, Timestamp now);
    Outcome begin(TaskRun& run, TaskProcess& process, SpawnRequest request, Timestamp now) const;

    std::string socket_;
    BaseEnvironment inherited_;
    BaseEnvironment minimal_;
    BaseEnvironment none_;  ///< a container has its image's
    Containers* containers_ = nullptr;
    UniqueFd null_;
    rlimit open_files_{};  ///< what tasks get
};

/// The folder that tasks need in their PATH to find `amp`; empty when they find `binary` already.
std::string amp_folder(const ScratchPool& scratch, const std::string& binary);

/// What tasks call as `amp`: this very program, also when its file was replaced or removed since.
std::string own_binary();

}  // namespace amp
