// A task's way through the keeper: started, ended, recorded.

#include <fmt/format.h>

#include <utility>

#include "backends/local/keeper.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr double k_retry_s = 0.2;
constexpr double k_retry_patience_s = 10;
constexpr double k_gpu_retry_s = 1;
constexpr std::size_t k_max_result = std::size_t{15} << 20;  // a frame holds 16 MiB
constexpr std::size_t k_max_collecting = 64;

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

Value start_record(const TaskRun& run) {
    return Object{{"task", run.id.task.text()},
                  {"attempt", static_cast<std::int64_t>(run.id.attempt)},
                  {"token", run.spec.token},
                  {"at", format_time(SystemClock().now())}};
}

}  // namespace

bool Keeper::may_start() const {
    return !log_broken_ && failures_ == acknowledged_ && stager_.busy() < k_max_collecting;
}

// The starts of one wake-up are written with one write before the first of them is spawned.
void Keeper::start_ready() {
    std::vector<TaskRun*> starting;
    for (TaskRun* run : std::exchange(ready_, {})) {
        if (run->dropped) {
            forget(*run);
        } else if (run->forced != Cause::none) {
            end(*run, run->forced, run->forced_message);
        } else if (!may_start()) {
            ready_.push_back(run);
        } else if (run->scratch || prepare(*run)) {
            starting.push_back(run);
        }
    }
    while (may_start()) {
        const auto id = queue_.take(loop_.now());
        if (!id) {
            break;
        }
        TaskRun& run = *runs_.at(*id);
        run.has_slots = true;
        if (prepare(run)) {
            starting.push_back(&run);
        }
    }
    for (TaskRun* run : starting) {
        if (!run->in_log) {
            log_.append("start", start_record(*run));
            log_dirty_ = true;
        }
    }
    flush_log();
    for (TaskRun* run : starting) {
        run->in_log = run->in_log || !log_broken_;
        if (run->in_log) {
            launch(*run);
        } else {  // nobody would find it
            forget(*run);
        }
    }
}

// Gives it its folder and its inputs. True when it can be started at once.
bool Keeper::prepare(TaskRun& run) {
    try {
        if (!claim_gpus(run)) {
            return false;
        }
        run.scratch = scratch_.take();
    } catch (const Error& error) {
        run.result.message = error.message();
        run.state = TaskRun::State::starting;
        retry_later(run);
        return false;
    }
    if (run.spec.inputs.empty()) {
        run.state = TaskRun::State::starting;
        return true;
    }
    run.state = TaskRun::State::staging;
    stager_.lay_inputs(run, [this, &run](const std::string& problem) {
        if (!problem.empty() && !run.dropped) {
            end(run, Cause::infra, fmt::format("its inputs cannot be laid: {}", problem));
        } else {
            run.state = TaskRun::State::starting;
            ready_.push_back(&run);
        }
    });
    return false;
}

// True when it has its GPUs; else it will be asked again.
bool Keeper::claim_gpus(TaskRun& run) {
    if (run.spec.resources.gpu == run.gpus.size()) {
        return true;
    }
    if (auto claimed = gpus_.claim(run.spec.resources.gpu)) {
        run.gpus = std::move(*claimed);
        return true;
    }
    if (run.state == TaskRun::State::waiting) {
        events_.queued(run.id,
                       fmt::format("waits for {} gpu that another run holds", run.spec.resources.gpu));
        run.state = TaskRun::State::starting;
    }
    loop_.after(k_gpu_retry_s, [this, &run] { ready_.push_back(&run); });
    return false;
}

void Keeper::launch(TaskRun& run) {
    const Timestamp now = SystemClock().now();
    switch (launcher_.launch(run, now)) {
        case TaskLauncher::Outcome::running:
            run.state = TaskRun::State::running;
            processes_.add(run);
            output_.watch(run);
            if (run.spec.timeout_s > 0) {
                run.timeout_timer = loop_.after(run.spec.timeout_s, [this, &run] {
                    run.timeout_timer = 0;
                    processes_.end(run, Cause::timeout,
                                   fmt::format("timeout after {:g} s", run.spec.timeout_s));
                });
            }
            events_.started(run.id, host_, now);
            break;
        case TaskLauncher::Outcome::failed:
            end(run, run.result.cause, run.result.message);
            break;
        case TaskLauncher::Outcome::later:
            retry_later(run);
            break;
    }
}

void Keeper::retry_later(TaskRun& run) {
    if (run.scratch && run.spec.inputs.empty()) {  // or those that wait would keep those that run from ending
        ScratchPool::discard(std::move(run.scratch));
    }
    if (run.first_try == 0) {
        run.first_try = loop_.now();
    }
    if (loop_.now() - run.first_try > k_retry_patience_s) {
        end(run, Cause::infra, run.result.message);
        return;
    }
    loop_.after(k_retry_s, [this, &run] { ready_.push_back(&run); });
}

void Keeper::processes_gone(TaskRun& run) {
    output_.finish(run);
    release_slots(run);
    if (run.spec.outputs.empty() && run.scratch->is_pristine()) {
        end(run);
        return;
    }
    run.state = TaskRun::State::collecting;
    stager_.collect(run, [this, &run] { end(run); });
}

void Keeper::release_slots(TaskRun& run) {
    if (std::exchange(run.has_slots, false)) {
        queue_.release(run.spec.resources);
        gpus_.release(std::exchange(run.gpus, {}));
    }
}

// It ends without ever having run.
void Keeper::end(TaskRun& run, Cause cause, const std::string& message) {
    run.result.cause = cause;
    run.result.message = message;
    run.result.exit = run.result.exit == 0 ? -1 : run.result.exit;
    run.result.ended = SystemClock().now();
    if (run.result.started.ms == 0) {
        run.result.started = run.result.ended;
    }
    end(run);
}

void Keeper::end(TaskRun& run) {
    record_end(run.result);
    forget(run);
}

void Keeper::record_end(const AttemptResult& result) {
    Cause cause = result.cause;
    Value record = to_value(result);
    std::string text = json::dump(record);
    if (text.size() > k_max_result) {
        AttemptResult poor = result;
        poor.artifacts.clear();
        poor.log.clear();
        poor.cause = cause = Cause::infra;
        poor.message =
            fmt::format("its result is too large to be told ({} artifacts)", result.artifacts.size());
        record = to_value(poor);
        text = json::dump(record);
    }
    log_.append("end", record);
    log_dirty_ = true;
    events_.ended(text);
    unlogged_.push_back({{{result.task, result.attempt}, host_, result.started}, std::move(text)});
    failures_ += is_failure(cause) ? 1 : 0;
    ended_.insert(key_of({result.task, result.attempt}));
}

std::string Keeper::key_of(const AttemptId& id) {
    return fmt::format("{}#{}", id.task.text(), id.attempt);
}

void Keeper::forget(TaskRun& run) {
    release_slots(run);
    if (run.scratch) {
        try {
            run.scratch->clean();
            scratch_.give_back(std::move(run.scratch));
        } catch (const Error&) {  // the next task gets another one
        }
    }
    runs_.erase(AttemptId(run.id));
}

}  // namespace amp
