// The end before the end: after a failure, a cancel, or when time is over.

#include "core/engine/plan_impl.hpp"

namespace amp {

void Plan::Impl::stop(Stop reason) {
    if (stopping()) {
        return;
    }
    stop_ = reason;
    sweep();
}

/// What may not start any more is cancelled, what is under way is given to take_cancels. What waits for
/// something that has not ended stays: it becomes blocked or cancelled then.
void Plan::Impl::sweep() {
    for_each_cell(
        [this](TaskId task, const engine::Shape::Slot& slot) { sweep_cell(task, node(slot.step)); });
}

void Plan::Impl::sweep_cell(TaskId task, const Graph::Node& n) {
    Cell& c = cell(task);
    if (!stopped_for(n)) {
        return;
    }
    switch (c.state) {
        case TaskState::waiting:
            if (c.pending == 0) {
                conclude(task, TaskState::cancelled);
            }
            break;
        case TaskState::ready:
        case TaskState::retrying:
            c.unstarted = true;
            finish(task, TaskState::cancelled);
            break;
        case TaskState::queued:
        case TaskState::running:
            give_cancel(task);
            break;
        default:
            break;
    }
}

void Plan::Impl::give_cancel(TaskId task) {
    Cell& c = cell(task);
    if (!c.cancel_given) {
        c.cancel_given = true;
        cancels_.push_back(task);
    }
}

std::vector<TaskId> Plan::Impl::take_cancels() {
    std::erase_if(cancels_, [this](TaskId task) {
        const TaskState state = cell(task).state;
        return state != TaskState::queued && state != TaskState::running;
    });
    return std::exchange(cancels_, {});
}

/// A replay takes a task for cancelled that was queued when the run stopped, and then learns of its attempt.
/// It is queued again, and whatever had ended because of its end waits again.
void Plan::Impl::revive(TaskId task) {
    cell(task).unstarted = false;
    set_state(task, TaskState::queued);
    give_cancel(task);
    std::vector<Reopened> again = {{task, TaskState::cancelled}};
    while (!again.empty()) {
        const Reopened next = again.back();
        again.pop_back();
        take_back(next, again);
    }
    if (open_before_end_ > 0 && end_released_) {
        end_released_ = false;
        for (const StepId step : shape_.at_end()) {
            wait_again(frames_.gate(step, 0, 0), again);
        }
    }
}

void Plan::Impl::wait_again(TaskId task, std::vector<Reopened>& again) {
    Cell& c = cell(task);
    if (c.state == TaskState::waiting && c.stage != Stage::until) {
        c.stage = Stage::none;  // a question is withdrawn
        ++c.pending;
    } else if (c.shut && is_terminal(c.state)) {
        c.shut = false;
        c.pending = 1;
        again.push_back({task, c.state});
        set_state(task, TaskState::waiting);
    } else if (c.expanded && c.state != TaskState::waiting && node(step_of(task)).cleanup) {
        c.state = TaskState::waiting;
        c.pending = 1;
        const engine::Frame& frame = frames_.frame(c.round);
        const std::uint32_t slot = shape_.step(step_of(task)).slot;
        for (std::uint32_t i = 0; i < frame.count; ++i) {
            wait_again(frames_.id({c.round, slot, i}), again);
        }
    }
}

bool Plan::Impl::on(const RunCancelled&, Timestamp) {
    if (stopping() || open_ == 0) {
        return false;
    }
    stop(Stop::cancelled);
    return true;
}

bool Plan::Impl::on(const RunTimedOut&, Timestamp) {
    if (open_ == 0 || hard_ || (stopping() && !cleaning_up())) {
        return false;
    }
    if (!stopping()) {
        stop(Stop::timed_out);
        return true;
    }
    hard_ = true;
    sweep();
    return true;
}

RunState Plan::Impl::state() const {
    if (open_ > 0) {
        return begun_ ? RunState::running : RunState::pending;
    }
    const auto any = [this](TaskState s) { return totals_[static_cast<std::size_t>(s)] > 0; };
    if (stop_ == Stop::cancelled) {
        return RunState::cancelled;
    }
    if (stop_ != Stop::none || any(TaskState::failed) || any(TaskState::blocked)) {
        return RunState::failed;
    }
    return any(TaskState::cancelled) ? RunState::cancelled : RunState::succeeded;
}

}  // namespace amp
