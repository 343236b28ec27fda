#include "core/engine/shape.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace amp::engine {

Shape::Shape(const Graph& graph) : levels_(1), steps_(graph.nodes.size()) {
    if (graph.order.size() != graph.nodes.size()) {
        throw Error(ExitCode::bug, "the graph has no complete order");
    }
    add_levels(graph);
    add_edges(graph);
    for (const StepId id : graph.order) {
        add_tracking(graph, id);
    }
    order_steps();
}

void Shape::add_levels(const Graph& graph) {
    std::vector<std::uint32_t> level_of(graph.nodes.size(), 0);  // of a foreach step: the level that it opens
    for (const StepId id : graph.order) {
        const Graph::Node& node = graph.nodes[id];
        Step& step = steps_[id];
        if (node.foreach) {
            const std::size_t around = node.stack.size() - 1;
            step.gate_level = around == 0 ? 0 : level_of[node.stack[around - 1]];
            step.level = static_cast<std::uint32_t>(levels_.size());
            level_of[id] = step.level;
            Level level;
            level.parent = step.gate_level;
            level.depth = static_cast<std::uint32_t>(node.stack.size());
            levels_.push_back(std::move(level));
            step.gate_slot = static_cast<std::uint32_t>(levels_[step.gate_level].slots.size());
            levels_[step.gate_level].slots.push_back({id, true});
        } else {
            step.level = node.stack.empty() ? 0 : level_of[node.stack.back()];
        }
        Level& level = levels_[step.level];
        step.slot = static_cast<std::uint32_t>(level.slots.size());
        level.slots.push_back({id, false});
        if (!node.foreach) {
            step.gate_level = step.level;
            step.gate_slot = step.slot;
        }
    }
}

void Shape::add_edges(const Graph& graph) {
    for (const StepId id : graph.order) {
        const Graph::Node& node = graph.nodes[id];
        steps_[id].after_end = node.at_end;
        if (node.at_end) {
            at_end_.push_back(id);
        }
        for (const Graph::Edge& edge : node.needs) {
            Step& from = steps_[edge.from];
            steps_[id].after_end = steps_[id].after_end || from.after_end;
            if (edge.closes == 0) {
                from.next.push_back(id);
                continue;
            }
            const auto& stack = graph.nodes[edge.from].stack;
            const std::uint32_t depth = levels_[steps_[id].gate_level].depth;
            if (stack.size() != depth + edge.closes) {
                throw Error(ExitCode::bug, "a join does not fit its stack", node.name);
            }
            from.joins.push_back({id, depth});
            steps_[stack[depth]].head_joins.push_back(id);
        }
    }
}

void Shape::add_tracking(const Graph& graph, StepId id) {
    Step& step = steps_[id];
    const auto& stack = graph.nodes[id].stack;
    auto least = static_cast<std::uint32_t>(stack.size());
    for (const Join& join : step.joins) {
        least = std::min(least, join.depth);
    }
    std::uint32_t number = step.level;
    while (levels_[number].depth > least) {
        Level& level = levels_[number];
        step.tracked_at.push_back(static_cast<std::uint32_t>(level.tracked.size()));
        level.tracked.push_back(id);
        if (level.depth < stack.size()) {
            steps_[stack[level.depth]].head_tracked.push_back(id);
        }
        number = level.parent;
    }
}

void Shape::order_steps() {
    // Levels below a level were made after it: sizes add up backwards, and places are given out forwards.
    std::vector<std::uint32_t> size(levels_.size(), 0);
    for (std::size_t i = levels_.size(); i-- > 0;) {
        for (const Slot& slot : levels_[i].slots) {
            size[i] += slot.head ? 0 : 1;
        }
        if (i > 0) {
            size[levels_[i].parent] += size[i];
        }
    }
    std::vector<std::uint32_t> next(levels_.size(), 0);  // the next free place of each level
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        Level& level = levels_[i];
        level.steps_begin = i == 0 ? 0 : next[level.parent];
        level.steps_end = level.steps_begin + size[i];
        if (i > 0) {
            next[level.parent] = level.steps_end;
        }
        next[i] = level.steps_begin;
        for (const Slot& slot : level.slots) {
            next[i] += slot.head ? 0 : 1;
        }
    }
    steps_by_level_.resize(steps_.size());
    for (const Level& level : levels_) {
        std::uint32_t at = level.steps_begin;
        for (const Slot& slot : level.slots) {
            if (!slot.head) {
                steps_by_level_[at++] = slot.step;
            }
        }
    }
}

std::span<const StepId> Shape::steps_below(std::uint32_t level) const {
    const Level& l = levels_[level];
    return std::span(steps_by_level_).subspan(l.steps_begin, l.steps_end - l.steps_begin);
}

}  // namespace amp::engine
