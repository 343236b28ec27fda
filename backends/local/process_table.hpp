#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backends/local/containers.hpp"
#include "backends/local/task_run.hpp"
#include "backends/system/process.hpp"

namespace amp {

/// The processes of the running tasks: reaps them, ends them, and leaves none behind. A task has ended when
/// its main process has, and no process of its group nor any orphan with its token lives any more. Until then
/// the main process stays a zombie: its number, by which the group is signalled, can be nobody else's. A gang
/// is one task with several main processes: the first of them to fail ends the others.
class ProcessTable {
  public:
    /// @param gone the main process has ended (exit, signal, cause and usage are in the result), and all
    /// others are gone
    ProcessTable(EventLoop& loop, std::function<void(TaskRun&)> gone);

    /// For tasks that run in containers.
    void set_containers(Containers& containers) { containers_ = &containers; }

    /// A task was just started: all of its processes that have a number.
    void add(TaskRun& run);
    /// From now on it has `timeout_s` of its spec, where it has a limit.
    void limit_time(TaskRun& run) { limit_time(run, run.spec.timeout_s); }
    /// Call when SIGCHLD came.
    void reap();
    /// TERM to its groups, KILL after its grace. The first reason counts.
    void end(TaskRun& run, Cause cause, std::string message);
    /// KILL to what is left of it.
    void kill_now(TaskRun& run);
    /// Kills whatever is still our child, and waits for that, but not for ever. Call last.
    void kill_all();

  private:
    void limit_time(TaskRun& run, double left_s);
    std::vector<TaskRun*> take_ends();
    void watch_order(TaskProcess& process);
    void take_ends_in_order(std::vector<TaskRun*>& ended);
    void heard_end(pid_t pid, const siginfo_t& info, const rusage& usage, std::vector<TaskRun*>& ended);
    void record(TaskRun& run, TaskProcess& process, const siginfo_t& info, const rusage& usage);
    void decide(TaskRun& run, const TaskProcess& process);
    void conclude(TaskRun& run);
    void judge(TaskRun& run, const TaskProcess& process);
    static void judge_exit(TaskRun& run, bool oom);
    void look_for_leftovers(TaskRun& run);
    void ask_to_end(TaskRun& run);
    bool ran_out_of_memory(const TaskRun& run);
    void look_for_oom_kills();
    void find_orphans();
    bool is_nobodys(pid_t pid);
    bool has_leftovers(const TaskRun& run);
    void signal_leftovers(const TaskRun& run, int signal);
    void let_go(TaskRun& run);
    void begin_leftovers(TaskRun& run);
    void check_leftovers();
    void check_later();

    EventLoop& loop_;
    Containers* containers_ = nullptr;
    ChildList children_;
    std::function<void(TaskRun&)> gone_;
    struct Known {
        TaskRun* run = nullptr;
        TaskProcess* process = nullptr;
    };
    std::map<pid_t, Known> by_pid_;  ///< until the main process is reaped
    std::size_t zombies_ = 0;        ///< of these those that have ended
    UniqueFd order_;  ///< an epoll of the ranks' pidfds, which become ready in the order of their ends
    std::vector<TaskRun*> leftovers_;
    bool orphans_known_ = false;
    bool has_strangers_ = false;                 ///< children whose task cannot be told
    std::multimap<std::string, pid_t> orphans_;  ///< by token; without one when it could not be read yet
    std::map<pid_t, int> tokenless_;             ///< how often we looked in vain
    EventLoop::TimerId check_timer_ = 0;
    std::uint64_t oom_kills_ = 0;
    double oom_looked_at_ = 0;
};

}  // namespace amp
