// What is handed out, reused, or must be ended.

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/driver.hpp"

namespace amp {

/// True when a task ended without being handed out, so that others may be ready now.
bool Driver::submit_ready() {
    const std::size_t window = backend_.window();
    if (in_flight_.size() >= window) {
        return false;
    }
    bool moved = false;
    std::vector<TaskSpec> specs;
    for (const TaskId task : data_.plan().take_ready(window - in_flight_.size())) {
        const bool cleanup = data_.graph().nodes[data_.plan().step(task)].cleanup;
        try {
            BuiltTask built = builder_.build(task, now(), cleanup ? failures() : Value());
            if (end_again(task, built.definition) || reuse(task, built.definition)) {
                moved = true;
                continue;
            }
            in_flight_[task] = InFlight{std::move(built.definition), false};
            specs.push_back(std::move(built.spec));
        } catch (const Error& error) {
            fail_before_start(task, error.advice());
            moved = true;
        }
    }
    if (!specs.empty()) {
        journal_.flush();
        backend_.submit(specs);
    }
    return moved;
}

void Driver::fail_before_start(TaskId task, const std::string& message) {
    AttemptResult result = failed_result(attempt_id(task), Cause::user, message);
    result.exit = 202;  // an expression that failed fails again
    end_attempt(result, {});
}

/// Takes over the result of an equal definition in the run that this one goes on from.
bool Driver::reuse(TaskId task, const std::string& definition) {
    if (!origin_) {
        return false;
    }
    const StepId step = data_.plan().step(task);
    const TaskIndex index = data_.plan().index(task);
    const StepId theirs = origin_->graph().id(data_.graph().nodes[step].name);
    if (theirs >= origin_->graph().nodes.size() || !needs_reused(step, index)) {
        return false;
    }
    const auto old = origin_->plan().find(theirs, index);
    if (!old || origin_->definition(*old) != definition) {
        return false;
    }
    const TaskState state = origin_->plan().state(*old);
    if (state != TaskState::succeeded && state != TaskState::cached) {
        return false;
    }
    const auto* made = origin_->artifacts(*old);
    record(RunEvent{.event = TaskReused{step, index},
                    .at = now(),
                    .definition = definition,
                    .artifacts = made ? *made : std::map<std::string, Artifact>{}});
    news_.emplace_back(
        [this, name = TaskName{data_.graph().nodes[step].name, index}] { observer_.task_reused(name); });
    return true;
}

bool Driver::needs_reused(StepId step, const TaskIndex& index) const {
    const auto fine = [](TaskState state) {
        return state == TaskState::cached || state == TaskState::skipped;
    };
    for (const Graph::Edge& edge : data_.graph().nodes[step].needs) {
        const std::size_t depth = data_.graph().nodes[edge.from].stack.size() - edge.closes;
        if (edge.closes == 0 && depth <= index.path.size()) {
            const TaskIndex at{{index.path.begin(), index.path.begin() + static_cast<std::ptrdiff_t>(depth)},
                               0};
            const auto task = data_.plan().find(edge.from, at);
            if (task && !fine(data_.plan().state(*task))) {
                return false;
            }
            continue;
        }
        const Plan::Counts& counts = data_.plan().counts(edge.from);
        for (std::size_t state = 0; state < k_task_states; ++state) {
            if (counts[state] > 0 && !fine(static_cast<TaskState>(state))) {
                return false;
            }
        }
    }
    return true;
}

void Driver::send_cancels() {
    std::vector<AttemptId> attempts;
    for (const TaskId task : data_.plan().take_cancels()) {
        attempts.push_back(attempt_id(task));
    }
    if (!attempts.empty()) {
        backend_.cancel(attempts);
    }
    if (failures_seen_) {
        failures_seen_ = false;
        backend_.go_on();
    }
}

Value Driver::failures() const {
    List out;
    const Plan& plan = data_.plan();
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        const Value* error = plan.state(task) == TaskState::failed ? data_.error(task) : nullptr;
        if (error) {
            Object entry = error->as_object();
            entry.emplace("task", TaskName{data_.step(plan.step(task)).name, plan.index(task)}.text());
            entry.emplace("attempt", static_cast<std::int64_t>(plan.attempt(task)));
            out.push_back(std::move(entry));
        }
    }
    return out;
}

}  // namespace amp
