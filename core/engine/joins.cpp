// How the end of a task reaches those who wait for it. Each task counts the needs that have not ended; for a
// need that closes foreaches, a block a frame counts the places in which it has not ended. Nothing is ever
// searched.

#include "core/engine/plan_impl.hpp"

namespace amp {

namespace {

bool is_active(TaskState state) {
    return state == TaskState::queued || state == TaskState::running;
}
bool is_bad(TaskState state) {
    return state == TaskState::failed || state == TaskState::blocked;
}

/// What the end of one task means for the block of its step.
engine::Block block_of(TaskState state) {
    return {0, is_bad(state) ? 1U : 0U, state == TaskState::cancelled ? 1U : 0U};
}

/// What the tasks of a foreach that is not expanded are, given what the foreach is.
TaskState below(TaskState head) {
    return head == TaskState::failed ? TaskState::blocked : head;
}

}  // namespace

void Plan::Impl::set_state(TaskId task, TaskState state) {
    Cell& c = cell(task);
    const TaskState old = c.state;
    const auto& slot = frames_.slot(frames_.spot(task));
    if (old == state) {
        return;
    }
    c.state = state;
    --counts_[slot.step][static_cast<std::size_t>(old)];
    ++counts_[slot.step][static_cast<std::size_t>(state)];
    --totals_[static_cast<std::size_t>(old)];
    ++totals_[static_cast<std::size_t>(state)];
    if (slot.head) {
        set_state_below(slot.step, below(old), below(state));
    }
    if (is_terminal(old) != is_terminal(state)) {
        const std::uint64_t change = is_terminal(state) ? std::uint64_t(-1) : 1;
        open_ += change;
        open_before_end_ += shape_.step(slot.step).after_end ? 0 : change;
    }
    if (is_active(old) != is_active(state)) {
        if (!node(slot.step).cleanup) {
            active_ordinary_ += is_active(state) ? 1 : std::uint64_t(-1);
        }
        if (is_active(old)) {
            ready_.wake(slot.step);
        }
    }
}

/// Counts for the steps below a foreach as a whole, each as one task. Caught and succeeded (expanded): as
/// none.
void Plan::Impl::set_state_below(StepId foreach, TaskState from, TaskState to) {
    const auto counted = [](TaskState s) { return s != TaskState::caught && s != TaskState::succeeded; };
    for (const StepId step : shape_.steps_below(shape_.step(foreach).level)) {
        if (step == foreach) {
            continue;
        }
        if (counted(from)) {
            --counts_[step][static_cast<std::size_t>(from)];
            --totals_[static_cast<std::size_t>(from)];
        }
        if (counted(to)) {
            ++counts_[step][static_cast<std::size_t>(to)];
            ++totals_[static_cast<std::size_t>(to)];
        }
    }
}

void Plan::Impl::finish(TaskId task, TaskState state) {
    cell(task).stage = Stage::none;
    set_state(task, state);
    ended_.push_back(task);
}

void Plan::Impl::drain() {
    for (;;) {
        std::size_t told = 0;
        while (told < ended_.size()) {  // grows meanwhile
            tell_others(ended_[told++]);
        }
        ended_.clear();
        if (open_before_end_ > 0 || end_released_) {
            return;
        }
        end_released_ = true;
        for (const StepId step : shape_.at_end()) {
            notify(frames_.gate(step, 0, 0));
        }
    }
}

void Plan::Impl::tell_others(TaskId task) {
    const Spot spot = frames_.spot(task);
    const auto& slot = frames_.slot(spot);
    const auto& shape = shape_.step(slot.step);
    const engine::Block place = block_of(cell(task).state);
    if (!slot.head) {
        for (const StepId next : shape.next) {
            for_each_waiting(next, spot.frame, spot.place, [this](TaskId t) { notify(t); });
        }
        close_place(slot.step, spot.frame, place);
        return;
    }
    for (const StepId next : shape.head_joins) {
        notify(frames_.gate(next, spot.frame, spot.place));
    }
    for (const StepId tracked : shape.head_tracked) {
        close_place(tracked, spot.frame, place);
    }
}

/// The tasks (or heads) of `step` at a place and in all frames below it.
template <class Tell>
void Plan::Impl::for_each_waiting(StepId step, std::uint32_t frame, std::uint32_t place, Tell tell) {
    const std::uint32_t depth = shape_.level(shape_.step(step).gate_level).depth;
    if (frames_.level(frame).depth == depth) {
        return tell(frames_.gate(step, frame, place));
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> places = {{frame, place}};
    while (!places.empty()) {
        const auto [f, p] = places.back();
        places.pop_back();
        const auto child = frames_.below(step, f, p);
        if (!child) {
            continue;  // counted when it is expanded, if ever
        }
        const bool there = frames_.level(*child).depth == depth;
        for (std::uint32_t i = 0; i < frames_.frame(*child).count; ++i) {
            if (there) {
                tell(frames_.gate(step, *child, i));
            } else {
                places.emplace_back(*child, i);
            }
        }
    }
}

void Plan::Impl::notify(TaskId task) {
    Cell& c = cell(task);
    if (c.state == TaskState::waiting && c.pending > 0 && --c.pending == 0) {
        settle(task);
    }
}

void Plan::Impl::close_place(StepId step, std::uint32_t frame, engine::Block place) {
    engine::Block* block = frames_.block(step, frame);
    if (block == nullptr) {
        return;
    }
    block->add(place);
    if (--block->open == 0) {
        close_block(step, frame);
    }
}

/// All tasks of `step` in a frame have ended: tells the joins at its place, and closes that place in the
/// frame around.
void Plan::Impl::close_block(StepId step, std::uint32_t frame) {
    for (;;) {
        const engine::Block ended = *frames_.block(step, frame);
        const engine::Frame& f = frames_.frame(frame);
        for (const auto& join : shape_.step(step).joins) {
            if (join.depth == frames_.level(f.parent).depth) {
                notify(frames_.gate(join.step, f.parent, f.place));
            }
        }
        frame = f.parent;
        engine::Block* block = frames_.block(step, frame);
        if (block == nullptr) {
            return;
        }
        block->add(ended);
        if (--block->open > 0) {
            return;
        }
    }
}

Plan::Impl::Verdict Plan::Impl::verdict(const Graph::Edge& edge, std::uint32_t frame, std::uint32_t place) {
    const auto& from = shape_.step(edge.from);
    TaskState state = TaskState::waiting;
    if (edge.closes == 0) {
        Spot spot = frames_.around(frame, place, shape_.level(from.level).depth);
        spot.slot = from.slot;
        state = cell(frames_.id(spot)).state;
    } else {
        const StepId foreach = node(edge.from).stack[frames_.level(frame).depth];
        const Cell& head = cell(frames_.gate(foreach, frame, place));
        if (head.expanded) {
            const engine::Block& block = *frames_.block(edge.from, head.round);
            return block.open > 0        ? Verdict::open
                   : block.failed > 0    ? Verdict::failed
                   : block.cancelled > 0 ? Verdict::cancelled
                                         : Verdict::done;
        }
        state = head.state;
    }
    switch (state) {
        case TaskState::succeeded:
        case TaskState::caught:
        case TaskState::cached:
            return Verdict::done;
        case TaskState::skipped:
            return Verdict::skipped;
        case TaskState::failed:
        case TaskState::blocked:
            return Verdict::failed;
        case TaskState::cancelled:
            return Verdict::cancelled;
        default:
            return Verdict::open;
    }
}

Plan::Impl::Needs Plan::Impl::review(Spot spot, const Graph::Node& n) {
    Needs needs;
    for (const Graph::Edge& edge : n.needs) {
        const Verdict v = verdict(edge, spot.frame, spot.place);
        needs.failed = needs.failed || v == Verdict::failed;
        needs.cancelled = needs.cancelled || v == Verdict::cancelled;
        needs.all_skipped = needs.all_skipped && v == Verdict::skipped;
        needs.conditional = needs.conditional || (edge.conditional && v != Verdict::skipped);
    }
    return needs;
}

// The way back, for a task that turns out to have been started when the run stopped (see revive in
// stopping.cpp).

void Plan::Impl::take_back(Reopened task, std::vector<Reopened>& again) {
    const Spot spot = frames_.spot(task.task);
    const auto& slot = frames_.slot(spot);
    const auto& shape = shape_.step(slot.step);
    const engine::Block place = block_of(task.ended);
    if (!slot.head) {
        for (const StepId next : shape.next) {
            for_each_waiting(next, spot.frame, spot.place, [&](TaskId t) { wait_again(t, again); });
        }
        return take_back_place(slot.step, spot.frame, place, again);
    }
    for (const StepId next : shape.head_joins) {
        wait_again(frames_.gate(next, spot.frame, spot.place), again);
    }
    for (const StepId tracked : shape.head_tracked) {
        take_back_place(tracked, spot.frame, place, again);
    }
}

void Plan::Impl::take_back_place(StepId step, std::uint32_t frame, engine::Block place,
                                 std::vector<Reopened>& again) {
    for (engine::Block* block = frames_.block(step, frame); block != nullptr;
         block = frames_.block(step, frame)) {
        const engine::Block before = *block;
        block->take(place);
        if (block->open++ > 0) {
            return;
        }
        const engine::Frame& f = frames_.frame(frame);
        for (const auto& join : shape_.step(step).joins) {
            if (join.depth == frames_.level(f.parent).depth) {
                wait_again(frames_.gate(join.step, f.parent, f.place), again);
            }
        }
        place = before;
        frame = f.parent;
    }
}

}  // namespace amp
