// The attempts and rounds of a task.

#include <algorithm>
#include <limits>

#include "core/engine/plan_impl.hpp"
#include "core/engine/retry.hpp"

namespace amp {

std::uint32_t Plan::Impl::next_attempt(TaskId task) {
    const Cell& c = cell(task);
    return c.state == TaskState::ready || c.state == TaskState::retrying ? c.attempt + 1 : c.attempt;
}

std::vector<TaskId> Plan::Impl::take_ready(std::size_t max) {
    std::vector<TaskId> tasks;
    const auto is_ready = [this](TaskId task) { return cell(task).state == TaskState::ready; };
    const auto has_room = [this](StepId step) {
        const Counts& c = counts_[step];
        const std::uint32_t limit = node(step).limit;
        return limit == 0 || c[static_cast<std::size_t>(TaskState::queued)] +
                                     c[static_cast<std::size_t>(TaskState::running)] <
                                 limit;
    };
    while (tasks.size() < max) {
        const auto task = ready_.pop(is_ready, has_room);
        if (!task) {
            break;
        }
        ++cell(*task).attempt;
        set_state(*task, TaskState::queued);
        tasks.push_back(*task);
    }
    return tasks;
}

/// The task of an event, if it is in that round.
std::optional<TaskId> Plan::Impl::find_attempt(StepId step, const TaskIndex& index) {
    const auto task = frames_.locate(step, index.path);
    if (!task || frames_.slot(frames_.spot(*task)).head || cell(*task).round != index.round) {
        return std::nullopt;
    }
    return task;
}

/// Makes the task queued or leaves it running, if this attempt may be under way. A replay does not know what
/// was queued: there it is ready, retrying, or was cancelled from there.
bool Plan::Impl::take_up(TaskId task, std::uint32_t attempt) {
    Cell& c = cell(task);
    switch (c.state) {
        case TaskState::queued:
        case TaskState::running:
            return c.attempt == attempt;
        case TaskState::cancelled:
            if (!c.unstarted || !stopping() || attempt != c.attempt + 1) {
                return false;
            }
            c.attempt = attempt;
            revive(task);
            return true;
        case TaskState::waiting:
        case TaskState::ready:
        case TaskState::retrying:
            if (attempt != c.attempt + 1 || (c.state == TaskState::waiting && !c.survivor)) {
                return false;
            }
            c.attempt = attempt;
            c.stage = Stage::none;
            c.pending = 0;
            set_state(task, TaskState::queued);
            if (stopped_for(node(step_of(task)))) {
                give_cancel(task);
            }
            return true;
        default:
            return false;
    }
}

bool Plan::Impl::on(const TaskStarted& event, Timestamp) {
    const auto task = find_attempt(event.step, event.index);
    if (!task || cell(*task).state == TaskState::running || !take_up(*task, event.attempt)) {
        return false;
    }
    set_state(*task, TaskState::running);
    return true;
}

bool Plan::Impl::on(const TaskEnded& event, Timestamp at) {
    const auto task = find_attempt(event.step, event.index);
    if (!task || !take_up(*task, event.attempt)) {
        return false;
    }
    if (event.cause != Cause::cancelled) {
        cell(*task).survivor = false;
    }
    if (event.cause == Cause::none) {
        round_succeeded(*task);
    } else if (event.cause == Cause::cancelled) {
        end_cancelled(*task);
    } else {
        end_failed(*task, event, at);
    }
    return true;
}

void Plan::Impl::end_cancelled(TaskId task) {
    Cell& c = cell(task);
    const Graph::Node& n = node(step_of(task));
    c.cause = static_cast<std::uint8_t>(Cause::cancelled);
    if (!stopped_for(n) && c.survivor) {
        c.survivor = false;
        return become_ready(task);
    }
    finish(task, TaskState::cancelled);
    if (!options_.keep_going) {
        stop(Stop::cancelled);  // by somebody else; does nothing when it is being stopped anyway
    }
}

void Plan::Impl::end_failed(TaskId task, const TaskEnded& event, Timestamp at) {
    Cell& c = cell(task);
    const StepId step = event.step;
    const RetryPolicy& policy = node(step).retry;
    c.cause = static_cast<std::uint8_t>(event.cause);
    if (event.cause == Cause::oom && c.ooms < std::numeric_limits<std::uint16_t>::max()) {
        ++c.ooms;
    }
    const auto budget = event.never_retry
                            ? engine::Budget::none
                            : engine::retry_budget(policy, event.cause, c.retries, c.other_retries);
    if (budget == engine::Budget::none) {
        return fail(task, event.cause);
    }
    if (stopped_for(node(step))) {  // as one that waits for its back-off
        return finish(task, TaskState::cancelled);
    }
    const engine::Failure failure{budget, event.cause, c.retries, c.other_retries};
    c.retries += budget == engine::Budget::times ? 1 : 0;
    c.other_retries = static_cast<std::uint8_t>(c.other_retries + (budget == engine::Budget::other ? 1 : 0));
    const auto noise = engine::retry_noise(options_.jitter_seed, step, event.index.path, c.round, c.attempt);
    const double delay = engine::retry_delay(policy, failure, noise);
    if (delay <= 0) {
        return become_ready(task);
    }
    set_state(task, TaskState::retrying);
    const Due due{at.plus_seconds(delay).ms, task, c.attempt, c.round};
    delays_.push(due);
    delay_of_.insert_or_assign(task, due);
}

/// After the last attempt.
void Plan::Impl::fail(TaskId task, Cause cause) {
    Cell& c = cell(task);
    const bool caught = node(step_of(task)).caught;
    c.cause = static_cast<std::uint8_t>(cause);
    c.round_done = false;
    conclude(task, caught ? TaskState::caught : TaskState::failed);
    if (!caught && !options_.keep_going) {
        stop(Stop::failed);
    }
}

void Plan::Impl::round_succeeded(TaskId task) {
    const Graph::Node& n = node(step_of(task));
    Cell& c = cell(task);
    if (!n.repeat) {
        return finish(task, c.reused ? TaskState::cached : TaskState::succeeded);
    }
    if (!n.until) {
        return after_round(task, c.round >= n.max_rounds);
    }
    c.round_done = true;
    set_state(task, TaskState::waiting);
    ask(task, Stage::until);
}

void Plan::Impl::after_round(TaskId task, bool done) {
    const Graph::Node& n = node(step_of(task));
    Cell& c = cell(task);
    c.round_done = false;
    const bool last = n.max_rounds > 0 && c.round >= n.max_rounds;
    if (done || (last && n.on_max_ok)) {
        return finish(task, c.reused ? TaskState::cached : TaskState::succeeded);
    }
    if (last) {
        return fail(task, Cause::user);
    }
    ++c.round;
    c.attempt = 0;
    c.retries = 0;
    c.other_retries = 0;
    c.reused = false;
    if (stopped_for(n)) {
        return finish(task, TaskState::cancelled);
    }
    become_ready(task);
}

bool Plan::Impl::on(const TaskReused& event, Timestamp) {
    const auto task = find_attempt(event.step, event.index);
    if (!task || cell(*task).state == TaskState::running) {
        return false;
    }
    Cell& c = cell(*task);
    if (!take_up(*task, c.state == TaskState::queued ? c.attempt : c.attempt + 1)) {
        return false;
    }
    --c.attempt;  // none was needed
    c.reused = true;
    round_succeeded(*task);
    return true;
}

bool Plan::Impl::on(const TaskReturned& event, Timestamp) {
    const auto task = find_attempt(event.step, event.index);
    if (!task || cell(*task).state != TaskState::queued) {
        return task && cell(*task).state == TaskState::ready;  // a replay does not know what was handed out
    }
    Cell& c = cell(*task);
    --c.attempt;
    c.cancel_given = false;
    if (stopped_for(node(event.step))) {
        c.unstarted = true;
        finish(*task, TaskState::cancelled);
    } else {
        become_ready(*task);
    }
    return true;
}

bool Plan::Impl::is_stale(const Due& due) {
    const Cell& c = cell(due.task);
    return c.state != TaskState::retrying || c.attempt != due.attempt || c.round != due.round;
}

void Plan::Impl::advance(Timestamp now) {
    while (!delays_.empty() && (delays_.top().ms <= now.ms || is_stale(delays_.top()))) {
        const Due due = delays_.top();
        drop_next_delay();
        if (!is_stale(due)) {
            become_ready(due.task);
        }
    }
}

std::optional<Timestamp> Plan::Impl::next_due() {
    while (!delays_.empty() && is_stale(delays_.top())) {
        drop_next_delay();
    }
    return delays_.empty() ? std::nullopt : std::optional(Timestamp{delays_.top().ms});
}

std::optional<Timestamp> Plan::Impl::due(TaskId task) {
    const auto it = delay_of_.find(task);
    return it == delay_of_.end() || is_stale(it->second) ? std::nullopt
                                                         : std::optional(Timestamp{it->second.ms});
}

void Plan::Impl::drop_next_delay() {
    const auto it = delay_of_.find(delays_.top().task);
    if (it != delay_of_.end() && it->second == delays_.top()) {
        delay_of_.erase(it);
    }
    delays_.pop();
}

}  // namespace amp
