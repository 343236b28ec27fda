#include "backends/local/process_table.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"

namespace amp {
namespace {

constexpr double k_leftover_grace_s = 2;
constexpr double k_leftover_patience_s = 7;  // then we give up on a process that even KILL does not end
constexpr double k_check_s = 0.01;
constexpr int k_looks_for_token = 3;
constexpr int k_exit_temporary = 75;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// To the whole group, and awake: a stopped process handles TERM only when it goes on.
void signal_group(pid_t group, int signal) {
    kill(-group, signal);
    if (signal != SIGKILL) {
        kill(-group, SIGCONT);
    }
}

}  // namespace

ProcessTable::ProcessTable(EventLoop& loop, std::function<void(TaskRun&)> gone)
    : loop_(loop), gone_(std::move(gone)), oom_kills_(count_oom_kills()) {}

void ProcessTable::add(TaskRun& run) {
    by_pid_[run.pid] = &run;
}

void ProcessTable::reap() {
    orphans_known_ = false;
    std::vector<TaskRun*> exited;
    int status = 0;
    rusage usage{};
    for (pid_t pid = 0; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
        tokenless_.erase(pid);
        const auto found = by_pid_.find(pid);
        if (found != by_pid_.end()) {  // else an orphan that became ours
            TaskRun& run = *found->second;
            by_pid_.erase(found);
            record(run, status, usage);
            exited.push_back(&run);
        }
    }
    for (TaskRun* run : exited) {
        if (has_leftovers(*run)) {
            begin_leftovers(*run);
        } else {
            gone_(*run);
        }
    }
    check_leftovers();
}

void ProcessTable::record(TaskRun& run, int status, const rusage& usage) {
    loop_.cancel(run.timeout_timer);
    loop_.cancel(run.kill_timer);
    run.timeout_timer = 0;
    run.kill_timer = 0;
    run.result.ended = SystemClock().now();
    run.result.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    run.result.max_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    run.result.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    run.result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    judge_exit(run, status);
}

void ProcessTable::judge_exit(TaskRun& run, int status) {
    AttemptResult& result = run.result;
    if (run.forced != Cause::none) {
        result.cause = run.forced;
        result.message = run.forced_message;
    } else if (WIFSIGNALED(status)) {
        const bool oom = result.signal == SIGKILL && ran_out_of_memory();
        result.cause = oom ? Cause::oom : Cause::user;
        result.message =
            oom ? "out of memory: the kernel killed it"
                : fmt::format("killed by signal {} ({})", result.signal, signal_name(result.signal));
    } else if (result.exit != 0) {
        result.cause = result.exit == k_exit_temporary ? Cause::infra : Cause::user;
        result.message = fmt::format("exit status {}", result.exit);
    }
}

bool ProcessTable::ran_out_of_memory() {
    const std::uint64_t before = oom_kills_;
    oom_kills_ = count_oom_kills();
    return oom_kills_ > before;
}

// A child of ours that is no task's main process was orphaned by one and became ours, as we are the
// subreaper.
void ProcessTable::find_orphans() {
    orphans_known_ = true;
    orphans_.clear();
    for (const pid_t pid : own_children()) {
        if (by_pid_.contains(pid)) {
            continue;
        }
        std::string token = process_token(pid);
        if (!token.empty() || !is_nobodys(pid)) {
            orphans_.emplace(std::move(token), pid);
        }
    }
}

// While a program is replaced by another (execve) its environment cannot be read: look again before believing
// it.
bool ProcessTable::is_nobodys(pid_t pid) {
    return ++tokenless_[pid] > k_looks_for_token;
}

bool ProcessTable::has_leftovers(const TaskRun& run) {
    if (process_group_lives(run.pid)) {
        return true;
    }
    if (!orphans_known_) {
        find_orphans();
    }
    return orphans_.contains(run.spec.token) || orphans_.contains("");
}

void ProcessTable::signal_leftovers(const TaskRun& run, int signal) {
    signal_group(run.pid, signal);
    if (!orphans_known_) {
        find_orphans();
    }
    const auto [first, last] = orphans_.equal_range(run.spec.token);
    std::for_each(first, last, [signal](const auto& orphan) {
        kill(orphan.second, signal);
        kill(orphan.second, SIGCONT);
    });
}

void ProcessTable::begin_leftovers(TaskRun& run) {
    run.state = TaskRun::State::leftovers;
    run.leftovers_since = loop_.now();
    signal_leftovers(run, run.killed ? SIGKILL : SIGTERM);
    leftovers_.push_back(&run);
    check_later();
}

void ProcessTable::check_leftovers() {
    std::vector<TaskRun*> gone;
    for (TaskRun* run : leftovers_) {
        const double since = loop_.now() - run->leftovers_since;
        if (!has_leftovers(*run) || since > k_leftover_patience_s) {
            gone.push_back(run);
        } else if (run->killed || since > k_leftover_grace_s) {
            run->killed = true;
            signal_leftovers(*run, SIGKILL);
        } else {
            // One that was orphaned since, or whose token could not be read before.
            const auto [first, last] = orphans_.equal_range(run->spec.token);
            std::for_each(first, last, [](const auto& orphan) { kill(orphan.second, SIGTERM); });
        }
    }
    for (TaskRun* run : gone) {
        leftovers_.erase(std::find(leftovers_.begin(), leftovers_.end(), run));
        gone_(*run);
    }
    if (!leftovers_.empty()) {
        check_later();
    }
}

// Not all of them are our children: their end is not always told to us.
void ProcessTable::check_later() {
    loop_.cancel(check_timer_);
    check_timer_ = loop_.after(k_check_s, [this] {
        orphans_known_ = false;
        check_leftovers();
    });
}

void ProcessTable::end(TaskRun& run, Cause cause, std::string message) {
    if (run.state != TaskRun::State::running || run.forced != Cause::none) {
        return;
    }
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(run.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == run.pid) {
        return;  // its own end came first
    }
    run.forced = cause;
    run.forced_message = std::move(message);
    signal_group(run.pid, SIGTERM);
    run.kill_timer = loop_.after(run.spec.grace_s, [this, &run] { kill_now(run); });
}

void ProcessTable::kill_now(TaskRun& run) {
    loop_.cancel(std::exchange(run.kill_timer, 0));
    run.killed = true;
    if (run.state == TaskRun::State::running) {
        kill(-run.pid, SIGKILL);
        kill(run.pid, SIGKILL);
    } else if (run.state == TaskRun::State::leftovers) {
        signal_leftovers(run, SIGKILL);
    }
}

void ProcessTable::kill_all() {
    while (true) {
        const std::vector<pid_t> children = own_children();
        for (const pid_t pid : children) {
            kill(pid, SIGKILL);
        }
        if (children.empty() || waitpid(-1, nullptr, 0) < 0) {
            return;
        }
    }
}

}  // namespace amp
