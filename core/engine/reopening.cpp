// Resume with nothing changed. The one place that looks at every task: counters are made anew from the
// states.

#include <algorithm>

#include "core/engine/plan_impl.hpp"

namespace amp {

bool Plan::Impl::on(const RunReopened& event, Timestamp) {
    stop_ = Stop::none;
    hard_ = false;
    cancels_.clear();
    for_each_cell(
        [&](TaskId task, const engine::Shape::Slot& slot) { reset(task, slot, event.retry_caught); });
    recount_blocks();
    end_released_ = false;
    recount_pending();
    ready_.clear();
    for (TaskId task = 0; task < frames_.size(); ++task) {  // grows never: items are decided by events
        const Cell& c = cell(task);
        if (c.state == TaskState::ready) {
            ready_.push(step_of(task), task);
        } else if (c.state == TaskState::waiting && c.pending == 0 && c.stage == Stage::none) {
            settle(task);
        }
    }
    return true;
}

void Plan::Impl::reset(TaskId task, const engine::Shape::Slot& slot, bool retry_caught) {
    Cell& c = cell(task);
    const bool active = c.state == TaskState::queued || c.state == TaskState::running;
    const bool maybe = c.state == TaskState::ready || c.state == TaskState::retrying ||
                       (c.state == TaskState::waiting && c.survivor);
    if (!c.expanded && !is_terminal(c.state)) {  // fresh budgets for what is under way too: it may prove lost
        c.retries = 0;
        c.other_retries = 0;
        c.ooms = 0;
        c.survivor = active && c.cancel_given;
        c.cancel_given = false;
    }
    if (!node(slot.step).cleanup) {
        const bool again = c.state == TaskState::failed || c.state == TaskState::cancelled ||
                           c.state == TaskState::blocked || (retry_caught && c.state == TaskState::caught);
        if (again) {
            reset_cell(task);
        }
        return;
    }
    if (active) {
        c.survivor = true;
        return;
    }
    // Clean-up runs again at the new end, where failed() may have become another answer. Lists stand.
    c.edges_decided = false;
    c.edges_shut = false;
    c.when_decided = false;
    c.round_done = false;
    if (c.expanded) {
        c.state = TaskState::waiting;
        c.stage = Stage::none;
    } else {
        reset_cell(task);
        c.survivor = c.survivor || maybe;
    }
}

void Plan::Impl::reset_cell(TaskId task) {
    Cell& c = cell(task);
    c.stage = Stage::none;
    c.retries = 0;
    c.other_retries = 0;
    c.ooms = 0;
    c.reused = false;
    c.cancel_given = false;
    c.survivor = c.unstarted;
    c.shut = false;
    c.unstarted = false;
    set_state(task, TaskState::waiting);
}

void Plan::Impl::recount_blocks() {
    for (std::uint32_t f = frames_.frame_count(); f-- > 0;) {  // frames below were made later
        for (const StepId step : frames_.level(f).tracked) {
            recount_block(step, f);
        }
    }
}

void Plan::Impl::recount_block(StepId step, std::uint32_t frame) {
    engine::Block block;
    const bool here = shape_.step(step).level == frames_.frame(frame).level;
    for (std::uint32_t i = 0; i < frames_.frame(frame).count; ++i) {
        const StepId foreach = here ? step : node(step).stack[frames_.level(frame).depth];
        const Cell& c =
            cell(here ? frames_.id({frame, shape_.step(step).slot, i}) : frames_.gate(foreach, frame, i));
        if (!here && c.expanded) {
            const engine::Block& below = *frames_.block(step, c.round);
            block.open += below.open > 0 ? 1 : 0;
            if (below.open == 0) {
                block.add(below);
            }
        } else {
            block.open += is_terminal(c.state) ? 0 : 1;
            block.failed += c.state == TaskState::failed || c.state == TaskState::blocked ? 1 : 0;
            block.cancelled += c.state == TaskState::cancelled ? 1 : 0;
        }
    }
    *frames_.block(step, frame) = block;
}

void Plan::Impl::recount_pending() {
    for_each_cell([this](TaskId task, const engine::Shape::Slot& slot) {
        Cell& c = cell(task);
        if (c.state != TaskState::waiting || c.stage == Stage::until || c.round_done) {
            return;
        }
        const Graph::Node& n = node(slot.step);
        const Spot spot = frames_.spot(task);
        if (n.foreach && !slot.head) {
            const engine::Frame& frame = frames_.frame(spot.frame);
            const Cell& head = cell(frames_.gate(slot.step, frame.parent, frame.place));
            c.pending = head.state == TaskState::waiting ? 1 : 0;
        } else {
            c.pending = n.at_end ? 1 : 0;
            for (const Graph::Edge& edge : n.needs) {
                c.pending += verdict(edge, spot.frame, spot.place) == Verdict::open ? 1 : 0;
            }
        }
        if (c.pending > 0) {
            c.stage = Stage::none;  // a question is withdrawn
        }
    });
}

}  // namespace amp
