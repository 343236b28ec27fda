// How tasks ended, and why.

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "backends/local/environment_run.hpp"
#include "backends/local/process_table.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"

namespace amp {
namespace {

constexpr int k_exit_temporary = 75;
constexpr int k_exit_child_killed = 128 + SIGKILL;  // as shells say it

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

void ProcessTable::record(TaskRun& run, TaskProcess& process, const siginfo_t& info, const rusage& usage) {
    AttemptResult& result = run.result;
    result.ended = SystemClock().now();
    const bool exited = info.si_code == CLD_EXITED;
    process.end = {exited ? info.si_status : -1, exited ? 0 : info.si_status};
    if (process.container) {
        containers_->read_end(run, process);
    } else {
        result.cpu_s += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        result.max_rss_bytes =
            std::max(result.max_rss_bytes, static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
    }
    if (run.forced == Cause::none && !run.decided) {
        decide(run, process);
    }
}

// What comes after the first failure is its consequence.
void ProcessTable::decide(TaskRun& run, const TaskProcess& process) {
    const bool failed = !(process.end == RankEnd{});
    const bool serves_no_more = run.has_ranks() && process.rank == 0 && first_ends_all(*run.spec.gang);
    run.decided = failed || serves_no_more;
    if (failed) {
        run.result.exit = process.end.exit;
        run.result.signal = process.end.signal;
        judge(run, process);
        if (run.has_ranks()) {
            run.result.failed_rank = process.rank;
            run.result.message = fmt::format("rank {}: {}", process.rank, run.result.message);
        }
    }
    if (run.decided && !run.all_ended()) {
        ask_to_end(run);
    }
}

/// All of its processes have ended.
void ProcessTable::conclude(TaskRun& run) {
    loop_.cancel(std::exchange(run.timeout_timer, 0));
    loop_.cancel(std::exchange(run.kill_timer, 0));
    AttemptResult& result = run.result;
    if (run.forced != Cause::none) {
        result.exit = run.first().end.exit;
        result.signal = run.first().end.signal;
        result.cause = run.forced;
        result.message = run.forced_message;
    }
    if (run.has_ranks()) {
        for (const TaskProcess& process : run.processes) {
            result.ranks.push_back(process.end);
        }
    }
}

void ProcessTable::judge(TaskRun& run, const TaskProcess& process) {
    if (process.container && process.container->failure) {
        run.result.cause = process.container->failure->cause;
        run.result.message = process.container->failure->message;
        return;
    }
    judge_exit(run, process.container ? process.container->oom : ran_out_of_memory(run));
    if (std::string problem = environment_problem(run); !problem.empty()) {
        run.result.message = std::move(problem);
    }
}

void ProcessTable::judge_exit(TaskRun& run, bool oom) {
    AttemptResult& result = run.result;
    if (result.signal == SIGKILL && oom) {
        result.cause = Cause::oom;
        result.message = "out of memory: the kernel killed it";
    } else if (result.signal != 0) {
        result.cause = Cause::user;
        result.message = fmt::format("killed by signal {} ({})", result.signal, signal_name(result.signal));
    } else if (result.exit == k_exit_child_killed && oom) {
        result.cause = Cause::oom;
        result.message =
            fmt::format("out of memory: the kernel killed a process of it (exit status {})", result.exit);
    } else {
        result.cause = result.exit == k_exit_temporary ? Cause::infra : Cause::user;
        result.message =
            fmt::format("exit status {}{}", result.exit,
                        oom ? "; while it ran, the kernel killed a process for want of memory" : "");
    }
}

/// Has the kernel killed a process of our group for want of memory since this task started? Which one, it
/// does not say.
bool ProcessTable::ran_out_of_memory(const TaskRun& run) {
    look_for_oom_kills();
    return oom_kills_ > run.oom_kills_before;
}

void ProcessTable::look_for_oom_kills() {
    oom_looked_at_ = loop_.now();
    oom_kills_ = std::max(oom_kills_, count_oom_kills());  // 0 when it cannot be read now
}

}  // namespace amp
