#include <algorithm>
#include <cstdint>
#include <numeric>

#include "core/flow/references.hpp"

namespace amp {

Reach::Reach(const Graph& graph)
    : graph_(graph), position_(graph.nodes.size()), never_skips_(graph.nodes.size()) {
    for (std::size_t i = 0; i < graph.order.size(); ++i) {
        position_[graph.order[i]] = i;
    }
    for (const StepId id : graph.order) {
        const Graph::Node& node = graph.nodes[id];
        const bool needed = node.needs.empty() ||
                            std::any_of(node.needs.begin(), node.needs.end(), [&](const Graph::Edge& edge) {
                                return !edge.conditional && never_skips_[edge.from];
                            });
        never_skips_[id] = !node.when && needed;
    }
    build_dominators();
}

/// In topological order the dominator of a step is the nearest one common to all its needs.
void Reach::build_dominators() {
    const StepId root = none();
    parent_.assign(graph_.nodes.size() + 1, root);
    jump_.assign(graph_.nodes.size() + 1, root);
    depth_.assign(graph_.nodes.size() + 1, 0);
    for (const StepId id : graph_.order) {
        const auto& needs = graph_.nodes[id].needs;
        StepId parent = needs.empty() ? root : needs.front().from;
        for (const Graph::Edge& edge : needs) {
            parent = common_dominator(parent, edge.from);
        }
        parent_[id] = parent;
        depth_[id] = depth_[parent] + 1;
        // A jump leads over as much as the two jumps from the parent do together, where these are equally
        // long.
        const StepId over = jump_[parent];
        jump_[id] =
            depth_[parent] - depth_[over] == depth_[over] - depth_[jump_[over]] ? jump_[over] : parent;
    }
}

StepId Reach::common_dominator(StepId a, StepId b) const {
    while (a != b) {
        if (depth_[a] < depth_[b]) {
            std::swap(a, b);
        }
        if (depth_[a] > depth_[b]) {
            a = depth_[jump_[a]] >= depth_[b] ? jump_[a] : parent_[a];
        } else if (jump_[a] != jump_[b]) {
            a = jump_[a];
            b = jump_[b];
        } else {
            a = parent_[a];
            b = parent_[b];
        }
    }
    return a;
}

bool Reach::dominates(StepId ancestor, StepId step) const {
    while (depth_[step] > depth_[ancestor]) {
        step = depth_[jump_[step]] >= depth_[ancestor] ? jump_[step] : parent_[step];
    }
    return step == ancestor;
}

bool Reach::surely_ran(StepId ancestor, StepId step) const {
    return never_skips_[ancestor] || dominates(ancestor, step);
}

Reach::Ticket Reach::ask(StepId ancestor, StepId step) {
    Question question{ancestor, step, false, false};
    if (graph_.nodes[step].at_end) {
        question.yes = !graph_.nodes[ancestor].at_end;  // it runs after every other step
    } else if (ancestor == step || position_[ancestor] > position_[step]) {
        question.yes = false;
    } else if (dominates(ancestor, step)) {
        question.yes = true;
    } else {
        const auto& needs = graph_.nodes[step].needs;
        question.yes =
            needs.size() <= 8 &&
            std::any_of(needs.begin(), needs.end(), [&](const Graph::Edge& e) { return e.from == ancestor; });
        question.open = !question.yes;
    }
    questions_.push_back(question);
    return questions_.size() - 1;
}

void Reach::answer_all() {
    std::vector<Ticket> open;
    for (Ticket ticket = 0; ticket < questions_.size(); ++ticket) {
        if (questions_[ticket].open) {
            open.push_back(ticket);
        }
    }
    // In the order of the graph, so that steps that lie near each other share a sweep.
    std::sort(open.begin(), open.end(), [&](Ticket a, Ticket b) {
        return position_[questions_[a].ancestor] < position_[questions_[b].ancestor];
    });
    std::vector<StepId> targets;
    auto begin = open.cbegin();
    for (auto it = open.cbegin(); it != open.cend(); ++it) {
        const StepId target = questions_[*it].ancestor;
        if (!targets.empty() && targets.back() == target) {
            continue;
        }
        if (targets.size() == 64) {
            sweep(targets, begin, it);
            targets.clear();
            begin = it;
        }
        targets.push_back(target);
    }
    sweep(targets, begin, open.cend());
}

/// Up to 64 steps at once, a bit each, are carried along the order.
void Reach::sweep(const std::vector<StepId>& targets, std::vector<Ticket>::const_iterator begin,
                  std::vector<Ticket>::const_iterator end) {
    if (begin == end) {
        return;
    }
    std::vector<std::uint64_t> before(graph_.nodes.size(), 0);
    std::vector<std::uint64_t> own(graph_.nodes.size(), 0);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        own[targets[i]] = std::uint64_t{1} << i;
    }
    std::size_t last = 0;
    for (auto it = begin; it != end; ++it) {
        last = std::max(last, position_[questions_[*it].step]);
    }
    for (std::size_t i = position_[targets.front()]; i <= last; ++i) {
        const StepId id = graph_.order[i];
        for (const Graph::Edge& edge : graph_.nodes[id].needs) {
            before[id] |= before[edge.from] | own[edge.from];
        }
    }
    for (auto it = begin; it != end; ++it) {
        Question& question = questions_[*it];
        question.yes = (before[question.step] & own[question.ancestor]) != 0;
        question.open = false;
    }
}

std::vector<Reach::Makers> Reach::makers_before(const std::vector<StepId>& makers) const {
    std::vector<bool> makes(graph_.nodes.size(), false);
    for (const StepId id : makers) {
        makes[id] = true;
    }
    std::vector<Makers> found(graph_.nodes.size(), Makers{none(), none()});
    const auto add = [this](Makers& into, StepId maker) {
        if (maker == none() || maker == into.first) {
            return;
        }
        (into.first == none() ? into.first : into.second) = maker;
    };
    for (const StepId id : graph_.order) {
        for (const Graph::Edge& edge : graph_.nodes[id].needs) {
            add(found[id], found[edge.from].first);
            add(found[id], found[edge.from].second);
            add(found[id], makes[edge.from] ? edge.from : none());
        }
    }
    return found;
}

}  // namespace amp
