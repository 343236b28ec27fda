// A task's way through the keeper: started, ended, recorded.

#include <fmt/format.h>

#include <utility>

#include "backends/local/cache_folders.hpp"
#include "backends/local/keeper.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/task/engines.hpp"

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
    Object record{{"task", run.id.task.text()},
                  {"attempt", static_cast<std::int64_t>(run.id.attempt)},
                  {"token", run.spec.token},
                  {"at", format_time(SystemClock().now())}};
    if (run.spec.container) {
        record["container"] = engine_of(run.spec).name;
    }
    return record;
}

}  // namespace

bool Keeper::may_start() const {
    return !is_broken() && failures_ == acknowledged_ && stager_.busy() < k_max_collecting;
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
        if (run.lent) {
            queue_.release({run.spec.resources.cpu, 0, 0});
            slots_back(run);
            if (has_open_wait(run.id, 0)) {  // begun meanwhile by another of its processes
                lend_slots(run);
            }
            continue;
        }
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
        make_room(run);
    } catch (const Error& error) {
        if (run.scratch) {
            ScratchPool::discard(std::move(run.scratch));
        }
        run.result.message = error.message();
        run.state = TaskRun::State::starting;
        retry_later(run);
        return false;
    }
    give_checkpoint(run);
    if (const std::string problem = make_cache_folders(run.spec, run.scratch->folder()); !problem.empty()) {
        end(run, Cause::infra, problem);
        return false;
    }
    if (run.spec.inputs.empty() && (!run.checkpoint || run.checkpoint->is_laid())) {
        run.state = TaskRun::State::starting;
        return true;
    }
    run.state = TaskRun::State::staging;
    stager_.lay_inputs(run, [this, &run](const std::string& problem) {
        for (const std::string& note : std::exchange(run.checkpoint_notes, {})) {
            remark(run.id, note);
        }
        if (!problem.empty() && !run.dropped) {
            end(run, Cause::infra, fmt::format("its inputs cannot be laid: {}", problem));
        } else {
            run.state = TaskRun::State::starting;
            ready_.push_back(&run);
        }
    });
    return false;
}

/// Its folder; and where it is a gang, those of its ranks, and where they meet.
void Keeper::make_room(TaskRun& run) {
    run.scratch = scratch_.take();
    if (!run.spec.gang) {
        return;
    }
    for (std::uint32_t rank = 0; rank < run.spec.gang->world(); ++rank) {
        run.scratch->add_rank(rank);
    }
    if (run.ports.empty()) {
        auto ports = ports_.claim(port_count(*run.spec.gang));
        if (!ports) {
            throw Error(ExitCode::infrastructure, "there is no port left for its ranks to meet at");
        }
        run.ports = std::move(*ports);
    }
}

// True when it has its GPUs; else it will be asked again.
bool Keeper::claim_gpus(TaskRun& run) {
    const std::uint32_t need = total_resources(run.spec).gpu;
    if (need == run.gpus.size()) {
        return true;
    }
    if (auto claimed = gpus_.claim(need)) {
        run.gpus = std::move(*claimed);
        return true;
    }
    if (run.state == TaskRun::State::waiting) {
        events_.queued(run.id, fmt::format("waits for {} gpu that another run holds", need));
        run.state = TaskRun::State::starting;
    }
    loop_.after(k_gpu_retry_s, [this, &run] { ready_.push_back(&run); });
    return false;
}

void Keeper::launch(TaskRun& run) {
    const Timestamp now = SystemClock().now();
    Variables secrets;
    for (const auto& [name, key] : run.spec.secrets) {
        const auto secret = secrets_.find(key);
        if (secret == secrets_.end()) {
            end(run, Cause::infra, fmt::format("the secret '{}' was not given to the keeper", name));
            return;
        }
        secrets.emplace_back(name, secret->second.value);
    }
    if (masks_) {
        run.masks = masks_;
        for (TaskProcess& process : run.processes) {
            process.masker = std::make_unique<Masker>(masks_);
        }
    }
    reports_.watch(run);
    switch (launcher_.launch(run, secrets, now)) {
        case TaskLauncher::Outcome::running:
            started(run, now);
            break;
        case TaskLauncher::Outcome::partly:
            started(run, now);
            processes_.kill_now(run);
            break;
        case TaskLauncher::Outcome::failed:
            end(run, run.result.cause, run.result.message);
            break;
        case TaskLauncher::Outcome::later:
            retry_later(run);
            break;
    }
}

void Keeper::started(TaskRun& run, Timestamp now) {
    run.state = TaskRun::State::running;
    processes_.add(run);
    output_.watch(run);
    processes_.limit_time(run);
    monitor_.watch(run);
    save_in_time(run);
    events_.started(run.id, host_, now);
}

void Keeper::retry_later(TaskRun& run) {
    reports_.let_go(run);
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
    monitor_.let_go(run);
    output_.finish(run);
    reports_.let_go(run);
    if (run.spec.hold_s <= 0) {  // or they may have to be kept, which its end decides
        release_slots(run);
    }
    const bool served = run.spec.gang && first_ends_all(*run.spec.gang);
    if (run.left_some && run.forced == Cause::none && !served) {
        remark(run.id, "what it had left running was ended");
    }
    if (const std::string failure = log_failure(run); !failure.empty()) {
        remark(run.id, fmt::format("a part of its log is lost: {}", failure));
    } else if (run.result.log_dropped_bytes > 0) {
        remark(run.id, "its log is over the limit: only its head and its tail are kept");
    }
    look_at_ranks(run);
    if (run.checkpoint) {
        run.state = TaskRun::State::collecting;
        save_at_end(run, [this, &run] { collect(run); });
        return;
    }
    collect(run);
}

void Keeper::collect(TaskRun& run) {
    if (run.spec.outputs.empty() && !run.report && run.scratch->is_pristine()) {
        end(run);
        return;
    }
    run.state = TaskRun::State::collecting;
    stager_.collect(run, [this, &run] {
        end(run);
        if (!stager_.failure().empty()) {
            store_failed();
        }
    });
}

/// What other ranks than the first have written as outputs goes with their folders.
void Keeper::look_at_ranks(const TaskRun& run) {
    for (std::uint32_t rank = 1; run.spec.gang && rank < run.spec.gang->world(); ++rank) {
        if (!run.scratch->is_out_empty(rank)) {
            remark(run.id,
                   fmt::format("what rank {} wrote to its $AMP_OUT is not kept: the outputs of rank 0 "
                               "are the task's",
                               rank));
            return;
        }
    }
}

/// Tasks of one step mostly do the same.
void Keeper::remark(const AttemptId& id, const std::string& what) {
    if (remarks_.insert(id.task.step + ": " + what).second) {
        events_.note(fmt::format("{}: {}", id.task.text(), what));
    }
}

void Keeper::release_slots(TaskRun& run) {
    if (run.lent) {
        slots_back(run);
    }
    if (std::exchange(run.has_slots, false)) {
        queue_.release(total_resources(run.spec));
        gpus_.release(std::exchange(run.gpus, {}));
    }
    ports_.release(std::exchange(run.ports, {}));
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
    run.result.message = masked(run.result.message);
    record_end(run.result);
    if (run.checkpoint && run.result.succeeded() && run.id.task.index.round == 0) {
        discard_checkpoint(run);
    }
    if (may_hold(run)) {
        hold(run);
    } else {
        forget(run);
    }
}

void Keeper::record_end(const AttemptResult& result) {
    Cause cause = result.cause;
    Value record = to_value(result);
    std::string text = json::dump_record(record);
    if (text.size() > k_max_result) {
        AttemptResult poor = result;
        poor.artifacts.clear();
        poor.log.clear();
        poor.cause = cause = Cause::infra;
        poor.message =
            fmt::format("its result is too large to be told ({} artifacts)", result.artifacts.size());
        record = to_value(poor);
        text = json::dump_record(record);
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
    reports_.let_go(run);
    release_slots(run);
    if (run.scratch) {
        try {
            run.scratch->clean();
            scratch_.give_back(std::move(run.scratch));
        } catch (const Error&) {  // the next task gets another one
        }
    }
    loop_.cancel(std::exchange(run.checkpoint_timer, 0));
    runs_.erase(AttemptId(run.id));
}

}  // namespace amp
