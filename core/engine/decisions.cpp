// What becomes of a task whose needs have all ended: blocked, skipped, asked about, expanded, ready.

#include "core/engine/plan_impl.hpp"

namespace amp {

Plan::Impl::Impl(const Graph& graph, PlanOptions options)
    : graph_(graph),
      options_(options),
      shape_(graph),
      frames_(graph, shape_),
      ready_(graph),
      counts_(graph.nodes.size()) {
    const std::uint32_t root = frames_.add(0, 1, 0, 0);
    add_counts(root);
    init_pending(root);
    for (TaskId task = 0; task < frames_.size(); ++task) {
        if (cell(task).pending == 0) {
            settle(task);
        }
    }
    drain();
}

void Plan::Impl::settle(TaskId task) {
    if (cell(task).round_done) {
        return ask(task, Stage::until);
    }
    const Spot spot = frames_.spot(task);
    const bool head = frames_.slot(spot).head;
    const Graph::Node& n = node(frames_.slot(spot).step);
    const bool item = n.foreach && !head;  // its needs were its head's
    if (!item && settle_needs(task, spot, n)) {
        return;
    }
    const Cell& c = cell(task);
    const bool when_here = n.when && (!n.foreach || head != n.when_per_item);
    if (when_here && !c.when_decided) {
        return ask(task, Stage::when);
    }
    if (when_here && !c.when_open) {
        return conclude(task, TaskState::skipped);
    }
    if (head) {
        return c.expanded ? open_items(task) : ask(task, Stage::items);
    }
    if (stopped_for(n)) {
        return conclude(task, TaskState::cancelled);
    }
    if (n.wait && !c.wait_over) {
        return ask(task, Stage::wait);
    }
    become_ready(task);
}

/// True when the needs alone decide, or must be asked about.
bool Plan::Impl::settle_needs(TaskId task, Spot spot, const Graph::Node& n) {
    if (n.needs.empty()) {
        return false;
    }
    const Needs needs = review(spot, n);
    if (!n.cleanup && (needs.failed || needs.cancelled)) {
        conclude(task, needs.failed ? TaskState::blocked : TaskState::cancelled);
        return true;
    }
    const Cell& c = cell(task);
    // A condition on a need that failed can hardly be evaluated: clean-up steps run without it.
    if (needs.conditional && !c.edges_decided && !needs.failed && !needs.cancelled) {
        ask(task, Stage::edges);
        return true;
    }
    if (needs.all_skipped || c.edges_shut) {
        conclude(task, TaskState::skipped);
        return true;
    }
    return false;
}

void Plan::Impl::ask(TaskId task, Stage stage) {
    if (stopped_for(node(step_of(task)))) {
        return conclude(task, TaskState::cancelled);
    }
    Cell& c = cell(task);
    c.stage = stage;
    c.taken = false;
    questions_.push_back(task);
}

void Plan::Impl::conclude(TaskId task, TaskState state) {
    Cell& c = cell(task);
    const bool shut = state == TaskState::blocked || state == TaskState::cancelled;
    c.stage = Stage::none;
    if (!c.expanded) {
        c.shut = shut;
        return finish(task, state);
    }
    c.state = TaskState::succeeded;
    const engine::Frame& frame = frames_.frame(c.round);
    const std::uint32_t slot = shape_.step(step_of(task)).slot;
    for (std::uint32_t i = 0; i < frame.count; ++i) {
        const TaskId item = frames_.id({c.round, slot, i});
        if (cell(item).state == TaskState::waiting) {
            cell(item).shut = shut;
            finish(item, state);
        }
    }
}

void Plan::Impl::expand(TaskId head, std::uint32_t count) {
    const Spot spot = frames_.spot(head);
    const StepId step = frames_.slot(spot).step;
    const std::uint32_t level = shape_.step(step).level;
    const std::uint32_t frame = frames_.add(level, count, spot.frame, spot.place);
    set_state_below(step, TaskState::waiting, TaskState::succeeded);
    --counts_[step][static_cast<std::size_t>(TaskState::waiting)];
    --totals_[static_cast<std::size_t>(TaskState::waiting)];
    --open_;
    open_before_end_ -= shape_.step(step).after_end ? 0 : 1;
    Cell& c = cell(head);
    c.state = TaskState::succeeded;
    c.stage = Stage::none;
    c.expanded = true;
    c.round = frame;
    add_counts(frame);
    init_pending(frame);
    for (std::uint32_t i = 0; i < count; ++i) {
        settle(frames_.id({frame, shape_.step(step).slot, i}));
    }
    if (count == 0) {
        for (const StepId tracked : shape_.level(level).tracked) {
            close_block(tracked, frame);
        }
    }
}

/// The items of a foreach that was expanded before the run was reopened may go on.
void Plan::Impl::open_items(TaskId head) {
    Cell& c = cell(head);
    c.state = TaskState::succeeded;
    const std::uint32_t slot = shape_.step(step_of(head)).slot;
    const std::uint32_t count = frames_.frame(c.round).count;
    for (std::uint32_t i = 0; i < count; ++i) {
        notify(frames_.id({c.round, slot, i}));
    }
}

/// All tasks of a new frame wait, those of frames that may come below it too.
void Plan::Impl::add_counts(std::uint32_t frame) {
    constexpr auto k_waiting = static_cast<std::size_t>(TaskState::waiting);
    const std::uint64_t count = frames_.frame(frame).count;
    for (const StepId step : shape_.steps_below(frames_.frame(frame).level)) {
        counts_[step][k_waiting] += count;
        totals_[k_waiting] += count;
    }
    for (const auto& slot : frames_.level(frame).slots) {
        open_ += count;
        open_before_end_ += shape_.step(slot.step).after_end ? 0 : count;
    }
}

void Plan::Impl::init_pending(std::uint32_t frame) {
    const std::uint32_t count = frames_.frame(frame).count;
    const auto& slots = frames_.level(frame).slots;
    for (std::uint32_t s = 0; s < slots.size() && count > 0; ++s) {
        const Graph::Node& n = node(slots[s].step);
        const bool item = n.foreach && !slots[s].head;
        std::uint32_t pending = n.at_end && !item ? 1 : 0;
        for (const Graph::Edge& edge : n.needs) {
            pending += !item && verdict(edge, frame, 0) == Verdict::open ? 1 : 0;
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            Cell& c = cell(frames_.id({frame, s, i}));
            c.pending = pending;
            c.round = n.repeat && !slots[s].head ? 1 : 0;
        }
    }
}

void Plan::Impl::become_ready(TaskId task) {
    set_state(task, TaskState::ready);
    ready_.push(step_of(task), task);
}

Plan::Impl::Stage Plan::Impl::stage_of(Question::Kind kind) {
    switch (kind) {
        case Question::Kind::edges:
            return Stage::edges;
        case Question::Kind::when:
            return Stage::when;
        case Question::Kind::items:
            return Stage::items;
        case Question::Kind::until:
            return Stage::until;
        case Question::Kind::wait:
            return Stage::wait;
    }
    return Stage::none;
}

std::optional<TaskId> Plan::Impl::asked(StepId step, const TaskIndex& index, Stage stage) {
    const auto task = frames_.locate(step, index.path);
    if (!task || cell(*task).state != TaskState::waiting || cell(*task).stage != stage) {
        return std::nullopt;
    }
    return stage != Stage::until || cell(*task).round == index.round ? task : std::nullopt;
}

std::vector<Question> Plan::Impl::take_questions(std::size_t max) {
    static constexpr std::array k_kinds = {Question::Kind::edges, Question::Kind::when, Question::Kind::items,
                                           Question::Kind::until, Question::Kind::wait};
    std::vector<Question> questions;
    while (questions.size() < max && !questions_.empty()) {
        const TaskId task = questions_.front();
        questions_.pop_front();
        Cell& c = cell(task);
        if (c.state != TaskState::waiting || c.stage == Stage::none || c.taken) {
            continue;  // answered or withdrawn meanwhile
        }
        c.taken = true;
        Question question{k_kinds[static_cast<std::size_t>(c.stage) - 1], step_of(task), index(task)};
        question.index.round = c.stage == Stage::until ? c.round : 0;
        questions.push_back(std::move(question));
    }
    return questions;
}

bool Plan::Impl::on(const EdgesDecided& event, Timestamp) {
    const auto task = asked(event.step, event.index, Stage::edges);
    if (!task) {
        return false;
    }
    const Graph::Node& n = node(event.step);
    const Spot spot = frames_.spot(*task);
    bool shut = true;
    for (std::size_t i = 0; i < n.needs.size(); ++i) {
        const bool closed = n.needs[i].conditional && i < event.open.size() && !event.open[i];
        shut = shut && (closed || verdict(n.needs[i], spot.frame, spot.place) == Verdict::skipped);
    }
    Cell& c = cell(*task);
    c.stage = Stage::none;
    c.edges_decided = true;
    c.edges_shut = shut;
    settle(*task);
    return true;
}

bool Plan::Impl::on(const WhenDecided& event, Timestamp) {
    const auto task = asked(event.step, event.index, Stage::when);
    if (!task) {
        return false;
    }
    Cell& c = cell(*task);
    c.stage = Stage::none;
    c.when_decided = true;
    c.when_open = event.open;
    settle(*task);
    return true;
}

bool Plan::Impl::on(const ItemsDecided& event, Timestamp) {
    const auto head = asked(event.step, event.index, Stage::items);
    if (!head) {
        return false;
    }
    expand(*head, event.count);
    return true;
}

bool Plan::Impl::on(const UntilDecided& event, Timestamp) {
    const auto task = asked(event.step, event.index, Stage::until);
    if (!task) {
        return false;
    }
    cell(*task).stage = Stage::none;
    after_round(*task, event.done);
    return true;
}

bool Plan::Impl::on(const WaitBegan& event, Timestamp) {
    return asked(event.step, event.index, Stage::wait).has_value();
}

bool Plan::Impl::on(const WaitEnded& event, Timestamp) {
    const auto task = asked(event.step, event.index, Stage::wait);
    if (!task) {
        return false;
    }
    Cell& c = cell(*task);
    c.stage = Stage::none;
    c.wait_over = true;
    settle(*task);
    return true;
}

bool Plan::Impl::on(const DecisionFailed& event, Timestamp) {
    const auto task = asked(event.question.step, event.question.index, stage_of(event.question.kind));
    if (!task) {
        return false;
    }
    fail(*task, event.cause);
    return true;
}

}  // namespace amp
