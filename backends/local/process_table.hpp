#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backends/local/task_run.hpp"

namespace amp {

/// The processes of the running tasks: reaps them, ends them, and leaves none behind. A task has ended when
/// its main process has, and no process of its group nor any orphan with its token lives any more.
class ProcessTable {
  public:
    /// @param gone the main process has ended (exit, signal, cause and usage are in the result), and all
    /// others are gone
    ProcessTable(EventLoop& loop, std::function<void(TaskRun&)> gone);

    /// A task was just started.
    void add(TaskRun& run);
    /// Call when SIGCHLD came.
    void reap();
    /// TERM to its group, KILL after its grace. The first reason counts.
    void end(TaskRun& run, Cause cause, std::string message);
    /// KILL to what is left of it.
    void kill_now(TaskRun& run);
    /// Kills whatever is still our child. Call last.
    void kill_all();

  private:
    void record(TaskRun& run, int status, const rusage& usage);
    void judge_exit(TaskRun& run, int status);
    bool ran_out_of_memory();
    void find_orphans();
    bool is_nobodys(pid_t pid);
    bool has_leftovers(const TaskRun& run);
    void signal_leftovers(const TaskRun& run, int signal);
    void begin_leftovers(TaskRun& run);
    void check_leftovers();
    void check_later();

    EventLoop& loop_;
    std::function<void(TaskRun&)> gone_;
    std::map<pid_t, TaskRun*> by_pid_;
    std::vector<TaskRun*> leftovers_;
    bool orphans_known_ = false;
    std::multimap<std::string, pid_t> orphans_;  ///< by token; without one when it could not be read yet
    std::map<pid_t, int> tokenless_;             ///< how often we looked in vain
    EventLoop::TimerId check_timer_ = 0;
    std::uint64_t oom_kills_ = 0;
};

}  // namespace amp
