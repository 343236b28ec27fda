// Places of attempts that have failed, kept for `amp shell`: the folder, slots, GPUs and ports. Whoever
// drives says when they are free again, by a cancel of the attempt. While nobody drives they are kept only as
// long as the same driver may come back.

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "backends/local/held_place.hpp"
#include "backends/local/keeper.hpp"
#include "core/base/error.hpp"

namespace amp {

/// One that was started. A driver that is not there now may only have lost the connection.
bool Keeper::may_hold(const TaskRun& run) {
    const bool failed = run.result.cause != Cause::none && run.result.cause != Cause::cancelled;
    return run.spec.hold_s > 0 && failed && run.scratch && run.processes.front().pid > 0 && had_driver_ &&
           !closing_ && !terminated_ && !is_broken();
}

void Keeper::hold(TaskRun& run) {
    try {
        write_place(run.scratch->folder(),
                    {getpid(), run.id.task.text(), options_.project_dir,
                     run.checkpoint ? run.checkpoint->folder() : std::string(), run.gpus, run.ports});
    } catch (const Error& error) {
        remark(run.id, fmt::format("its place cannot be kept: {}", error.message()));
        forget(run);
        return;
    }
    log_.append("hold", Object{{"task", run.id.task.text()},
                               {"attempt", static_cast<std::int64_t>(run.id.attempt)},
                               {"folder", run.scratch->folder()}});
    log_dirty_ = true;
    holds_.insert(runs_.extract(run.id));
    if (door_.driver() == nullptr) {
        keep_holds_a_while();
    }
}

void Keeper::keep_holds_a_while() {
    if (!holds_.empty() && holds_timer_ == 0) {
        holds_timer_ = loop_.after(options_.linger_s, [this] { free_holds(); });
    }
}

/// Nothing, when none is kept of it.
void Keeper::free_hold(const AttemptId& id) {
    auto place = holds_.extract(id);
    if (place.empty()) {
        return;
    }
    TaskRun& run = *place.mapped();
    runs_.insert(std::move(place));
    forget(run);
    log_.append("freed",
                Object{{"task", id.task.text()}, {"attempt", static_cast<std::int64_t>(id.attempt)}});
    log_dirty_ = true;
}

/// With the secrets that its tasks have: who asks could be our driver as well.
agent::OpenPlace Keeper::open_place(const AttemptId& id) {
    const auto held = holds_.find(id);
    if (held == holds_.end()) {
        throw Error(ExitCode::not_found, fmt::format("no place of {} is held", id.task.text()));
    }
    const TaskRun& run = *held->second;
    agent::OpenPlace place{run.scratch->folder(), run.spec, {}};
    for (const auto& [name, key] : run.spec.secrets) {
        if (const auto known = secrets_.find(key); known != secrets_.end()) {
            place.secrets.push_back(known->second);
        }
    }
    return place;
}

void Keeper::free_holds() {
    loop_.cancel(std::exchange(holds_timer_, 0));
    while (!holds_.empty()) {
        free_hold(AttemptId(holds_.begin()->first));
    }
}

}  // namespace amp
