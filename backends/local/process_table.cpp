#include "backends/local/process_table.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "backends/local/environment_run.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr double k_leftover_grace_s = 2;
constexpr double k_leftover_patience_s = 7;  // then we give up on a process that even KILL does not end
constexpr double k_check_s = 0.01;
constexpr int k_look_again_ms = 1;
constexpr int k_looks_for_token = 3;
constexpr double k_oom_look_s = 1;

/// True when one of our children has ended; it stays a zombie.
bool peek(idtype_t what, pid_t pid, siginfo_t& info, rusage& usage) {
    info.si_pid = 0;
    // Straight to the kernel: libc's own gives no usage.
    return syscall(SYS_waitid, what, pid, &info, WEXITED | WNOHANG | WNOWAIT, &usage) == 0 &&
           info.si_pid != 0;
}

/// To the whole group, and awake: a stopped process handles TERM only when it goes on.
void signal_group(pid_t group, int signal) {
    if (group <= 0) {  // it was never started
        return;
    }
    kill(-group, signal);
    if (signal != SIGKILL) {
        kill(-group, SIGCONT);
    }
}

void signal_groups(const TaskRun& run, int signal) {
    for (const TaskProcess& process : run.processes) {
        signal_group(process.pid, signal);
    }
}

/// What we cannot look at for want of descriptors may be so.
bool may_have_others(pid_t group) {
    try {
        return group_has_others(group);
    } catch (const Error&) {
        return true;
    }
}

/// Has it come to its own end, which we have not heard of yet? One rank that failed is that.
bool has_ended_itself(const TaskRun& run) {
    bool all = true;
    for (const TaskProcess& process : run.processes) {
        if (process.ended) {
            continue;
        }
        siginfo_t info{};
        const bool over =
            waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == process.pid;
        if (over && (info.si_code != CLD_EXITED || info.si_status != 0)) {
            return true;
        }
        all = all && over;
    }
    return all;
}

}  // namespace

ProcessTable::ProcessTable(EventLoop& loop, std::function<void(TaskRun&)> gone)
    : loop_(loop), gone_(std::move(gone)), oom_kills_(count_oom_kills()) {}

void ProcessTable::add(TaskRun& run) {
    if (loop_.now() - oom_looked_at_ > k_oom_look_s) {
        look_for_oom_kills();
    }
    run.oom_kills_before = oom_kills_;
    for (TaskProcess& process : run.processes) {
        if (process.pid > 0) {
            by_pid_[process.pid] = {&run, &process};
            if (run.has_ranks()) {
                watch_order(process);
            }
        }
    }
}

// When several ranks have ended since we looked, the first of them gives the cause: the others mostly fail
// since it is gone. Zombies do not say when they ended; a list of what is ready does. Without it: by rank.
void ProcessTable::watch_order(TaskProcess& process) {
    if (!order_) {
        order_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    }
    process.handle = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.fd = process.pid;
    if (order_ && process.handle) {
        epoll_ctl(order_.get(), EPOLL_CTL_ADD, process.handle.get(), &event);
    }
}

void ProcessTable::take_ends_in_order(std::vector<TaskRun*>& ended) {
    std::array<epoll_event, 64> ready{};
    siginfo_t info{};
    rusage usage{};
    int count = 0;
    while (order_ &&
           (count = epoll_wait(order_.get(), ready.data(), static_cast<int>(ready.size()), 0)) > 0) {
        for (int i = 0; i < count; ++i) {
            const pid_t pid = ready[static_cast<std::size_t>(i)].data.fd;
            if (by_pid_.contains(pid) && peek(P_PID, pid, info, usage)) {
                heard_end(pid, info, usage, ended);
            }
        }
    }
}

void ProcessTable::reap() {
    orphans_known_ = false;
    for (TaskRun* run : take_ends()) {
        if (is_contained(*run)) {
            run->state = TaskRun::State::leftovers;
            containers_->clear(*run, [this, run] { look_for_leftovers(*run); });
        } else {
            look_for_leftovers(*run);
        }
    }
    check_leftovers();
}

void ProcessTable::look_for_leftovers(TaskRun& run) {
    if (has_leftovers(run)) {
        begin_leftovers(run);
    } else {
        let_go(run);
    }
}

/// Tasks whose main processes have ended, which stay zombies. All others that have ended are reaped.
std::vector<TaskRun*> ProcessTable::take_ends() {
    std::vector<TaskRun*> ended;
    take_ends_in_order(ended);
    siginfo_t info{};
    rusage usage{};
    // A zombie that stays hides those behind it from such a question: then each child is asked for itself.
    while (ended.empty() && zombies_ == 0) {
        if (!peek(P_ALL, 0, info, usage)) {
            return ended;
        }
        heard_end(info.si_pid, info, usage, ended);
    }
    for (const pid_t pid : children_.read()) {
        if (peek(P_PID, pid, info, usage)) {
            heard_end(pid, info, usage, ended);
        }
    }
    return ended;
}

void ProcessTable::heard_end(pid_t pid, const siginfo_t& info, const rusage& usage,
                             std::vector<TaskRun*>& ended) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {  // an orphan that became ours
        tokenless_.erase(pid);
        waitpid(pid, nullptr, WNOHANG);
        return;
    }
    TaskRun& run = *found->second.run;
    TaskProcess& process = *found->second.process;
    if (run.state != TaskRun::State::running || process.ended) {
        return;
    }
    process.ended = true;
    process.handle.reset();
    ++zombies_;
    record(run, process, info, usage);
    if (run.all_ended()) {
        conclude(run);
        ended.push_back(&run);
    }
}

/// The main process of a task that is over is reaped, and its number free for others.
void ProcessTable::let_go(TaskRun& run) {
    for (TaskProcess& process : run.processes) {
        if (by_pid_.erase(process.pid) != 0) {
            --zombies_;
            waitpid(process.pid, nullptr, 0);
        }
    }
    gone_(run);
}

// A child of ours that is no task's main process was orphaned by one and became ours, as we are the
// subreaper.
void ProcessTable::find_orphans() {
    orphans_known_ = true;
    orphans_.clear();
    has_strangers_ = false;
    for (const pid_t pid : children_.read()) {
        if (by_pid_.contains(pid)) {
            continue;
        }
        try {
            std::string token = process_token(pid);
            if (!token.empty() || !is_nobodys(pid)) {
                orphans_.emplace(std::move(token), pid);
            } else {
                has_strangers_ = true;
            }
        } catch (const Error&) {  // no descriptors: another look will tell
            orphans_.emplace("", pid);
        }
    }
}

// While a program is replaced by another (execve) its environment cannot be read: look again before believing
// it.
bool ProcessTable::is_nobodys(pid_t pid) {
    return ++tokenless_[pid] > k_looks_for_token;
}

// Whatever else it has started descends from its main process, which has ended: where anything is left of it,
// we have become a parent of some of that.
bool ProcessTable::has_leftovers(const TaskRun& run) {
    if (!orphans_known_) {
        find_orphans();
    }
    return orphans_.contains(run.spec.token) || orphans_.contains("") ||
           (has_strangers_ &&
            std::any_of(run.processes.begin(), run.processes.end(), [](const TaskProcess& process) {
                return process.pid > 0 && may_have_others(process.pid);
            }));
}

void ProcessTable::signal_leftovers(const TaskRun& run, int signal) {
    signal_groups(run, signal);
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
    run.left_some = run.left_some || !is_contained(run);
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
        let_go(*run);
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

void ProcessTable::limit_time(TaskRun& run, double left_s) {
    if (left_s <= 0) {
        return;
    }
    run.timeout_timer = loop_.after(left_s, [this, &run] {
        run.timeout_timer = 0;
        if (const double more_s = time_left(run); more_s > 0) {
            limit_time(run, more_s);
            return;
        }
        end(run, Cause::timeout, fmt::format("timeout after {:g} s", run.spec.timeout_s));
    });
}

void ProcessTable::end(TaskRun& run, Cause cause, std::string message) {
    if (run.state != TaskRun::State::running || run.forced != Cause::none || run.decided ||
        has_ended_itself(run)) {
        return;
    }
    run.forced = cause;
    run.forced_message = std::move(message);
    ask_to_end(run);
}

void ProcessTable::ask_to_end(TaskRun& run) {
    if (is_contained(run)) {
        Containers::ask_to_end(run);
    } else {
        signal_groups(run, SIGTERM);
    }
    run.kill_timer = loop_.after(run.spec.grace_s, [this, &run] { kill_now(run); });
}

void ProcessTable::kill_now(TaskRun& run) {
    loop_.cancel(std::exchange(run.kill_timer, 0));
    run.killed = true;
    if (run.state == TaskRun::State::running && is_contained(run)) {
        containers_->kill(run);
    } else if (run.state == TaskRun::State::running) {
        for (const TaskProcess& process : run.processes) {
            if (process.pid > 0) {
                kill(-process.pid, SIGKILL);
                kill(process.pid, SIGKILL);
            }
        }
    } else if (run.state == TaskRun::State::leftovers) {
        signal_leftovers(run, SIGKILL);
    }
}

void ProcessTable::kill_all() {
    const double until = steady_now() + k_leftover_patience_s;
    while (steady_now() < until) {
        const std::vector<pid_t> children = children_.read();
        for (const pid_t pid : children) {
            kill(pid, SIGKILL);
        }
        const pid_t ended = children.empty() ? -1 : waitpid(-1, nullptr, WNOHANG);
        if (ended < 0) {
            return;
        }
        if (ended == 0) {  // it dies soon, unless the kernel holds it (a broken GPU, a server that is away)
            poll(nullptr, 0, k_look_again_ms);
        }
    }
}

}  // namespace amp
