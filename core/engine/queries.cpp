#include <algorithm>

#include "core/engine/plan_impl.hpp"

namespace amp {

TaskIndex Plan::Impl::index(TaskId task) {
    const Spot spot = frames_.spot(task);
    const auto& slot = frames_.slot(spot);
    return {frames_.path(spot), slot.head ? 0 : cell(task).round};
}

std::optional<std::uint32_t> Plan::Impl::item_count(StepId step, const TaskIndex& around) {
    const auto head = frames_.locate(step, around.path);
    if (!head || !frames_.slot(frames_.spot(*head)).head) {
        return std::nullopt;
    }
    const Cell& c = cell(*head);
    if (c.expanded) {
        return frames_.frame(c.round).count;
    }
    return c.state == TaskState::caught ? std::optional<std::uint32_t>(0) : std::nullopt;
}

bool Plan::Impl::has_failed(StepId step, const TaskIndex& index, std::optional<StepId> of) {
    const auto failures = [this](const Counts& c) {
        return c[static_cast<std::size_t>(TaskState::failed)] +
                   c[static_cast<std::size_t>(TaskState::blocked)] >
               0;
    };
    if (of) {
        return failures(counts_[*of]) && any_failed(*of, step, index.path);
    }
    if (node(step).needs.empty()) {
        return failures(totals_) || stop_ == Stop::timed_out;
    }
    if (!failures(totals_)) {
        return false;
    }
    // Ancestors count too: behind a clean-up step that succeeded, an ancestor may have failed.
    std::vector<bool> seen(graph_.nodes.size(), false);
    std::vector<StepId> ancestors = {step};
    while (!ancestors.empty()) {
        const StepId next = ancestors.back();
        ancestors.pop_back();
        for (const Graph::Edge& edge : node(next).needs) {
            if (seen[edge.from]) {
                continue;
            }
            seen[edge.from] = true;
            if (failures(counts_[edge.from]) && any_failed(edge.from, step, index.path)) {
                return true;
            }
            ancestors.push_back(edge.from);
        }
    }
    return false;
}

/// Has a task of `step` failed in the branch of a task of `asker`: in what their stacks have in common?
bool Plan::Impl::any_failed(StepId step, StepId asker, std::span<const std::uint32_t> path) {
    std::uint32_t frame = 0;
    std::uint32_t place = 0;
    const auto& stack = node(step).stack;
    const auto& branch = node(asker).stack;
    for (std::size_t depth = 0; depth < std::min(stack.size(), path.size()); ++depth) {
        if (stack[depth] != branch[depth]) {
            break;
        }
        const Cell& head = cell(frames_.gate(stack[depth], frame, place));
        if (!head.expanded || path[depth] >= frames_.frame(head.round).count) {
            break;
        }
        frame = head.round;
        place = path[depth];
    }
    return any_failed_below(step, frame, place);
}

bool Plan::Impl::any_failed_below(StepId step, std::uint32_t frame, std::uint32_t place) {
    const auto& stack = node(step).stack;
    const auto bad = [](TaskState s) { return s == TaskState::failed || s == TaskState::blocked; };
    std::vector<std::pair<std::uint32_t, std::uint32_t>> places = {{frame, place}};
    while (!places.empty()) {
        const auto [f, p] = places.back();
        places.pop_back();
        const std::uint32_t depth = frames_.level(f).depth;
        if (depth == stack.size()) {
            if (bad(cell(frames_.id({f, shape_.step(step).slot, p})).state)) {
                return true;
            }
            continue;
        }
        const Cell& head = cell(frames_.gate(stack[depth], f, p));
        if (!head.expanded && bad(head.state)) {
            return true;
        }
        const engine::Block* block = head.expanded ? frames_.block(step, head.round) : nullptr;
        if (!head.expanded || (block != nullptr && block->open == 0 && block->failed == 0)) {
            continue;
        }
        for (std::uint32_t i = 0; i < frames_.frame(head.round).count; ++i) {
            places.emplace_back(head.round, i);
        }
    }
    return false;
}

}  // namespace amp
