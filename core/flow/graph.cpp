#include "core/flow/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "core/base/text.hpp"

namespace amp {
namespace {

/// Deeper nesting of foreaches has no use and would make stacks, which each step carries, quadratic.
constexpr std::size_t k_max_foreach_depth = 32;
constexpr std::size_t k_max_reported_cycles = 20;
constexpr std::size_t k_max_shown_names = 12;
/// Suggestions compare with every step: enough for a person, and a flow full of mistakes stays linear.
constexpr int k_max_suggestions = 50;

bool mentions_item(const Expression& expression, std::string_view as) {
    const auto& uses = expression.uses();
    return std::any_of(uses.begin(), uses.end(), [&](const Expression::Use& use) {
        return use.reference.root == as || use.reference.root == "index";
    });
}

bool is_prefix(const std::vector<StepId>& shorter, const std::vector<StepId>& longer) {
    return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

class Builder {
  public:
    Builder(const Flow& flow, Diagnostics& diagnostics) : flow_(flow), diagnostics_(diagnostics) {}

    Graph build() {
        graph_.nodes.reserve(flow_.steps.size());
        needs_.reserve(flow_.steps.size());
        for (const Step& step : flow_.steps) {
            add_node(step);
        }
        index_names();
        for (StepId id = 0; id < graph_.nodes.size(); ++id) {
            add_edges(id);
        }
        break_cycles();
        find_order();
        graph_.doubtful.resize(graph_.nodes.size(), false);
        for (const StepId id : graph_.order) {
            const auto& needs = graph_.nodes[id].needs;
            graph_.doubtful[id] =
                has_lost(id) || std::any_of(needs.begin(), needs.end(),
                                            [&](const auto& edge) { return graph_.doubtful[edge.from]; });
            find_stack(id);
            graph_.doubtful[id] = graph_.doubtful[id] || has_lost(id);
        }
        for (StepId id = 0; id < graph_.nodes.size(); ++id) {
            for (const Graph::Edge& edge : graph_.nodes[id].needs) {
                graph_.nodes[edge.from].next.push_back(id);
            }
        }
        return std::move(graph_);
    }

  private:
    void add_node(const Step& step);
    void index_names();
    void add_edges(StepId id);
    void unknown_need(const Step& step, const Need& need);

    void break_cycles();
    void walk_from(StepId start, std::vector<std::uint8_t>& colour);
    void report_cycle(const std::vector<StepId>& path, StepId again, const Need& need);

    void find_order();

    void find_stack(StepId id);
    void plain_stack(StepId id);
    void join_stack(StepId id);
    std::size_t open_levels_kept(StepId id, const std::vector<StepId>& longest);
    void report_join_step(const Step& step, const std::vector<StepId>& longest);
    const std::vector<StepId>& longest_stack(StepId id) const;
    void report_incompatible(StepId id, std::size_t edge, const std::vector<StepId>& longest,
                             std::size_t kept);

    /// Needs, or which foreaches its join closes.
    bool has_lost(StepId id) const {
        const Step& step = flow_.steps[id];
        return step.is_broken("needs") || step.is_broken("join") ||
               graph_.nodes[id].needs.size() != step.needs.size();
    }
    void remove_edge(StepId id, std::size_t edge) {
        graph_.nodes[id].needs.erase(graph_.nodes[id].needs.begin() + static_cast<std::ptrdiff_t>(edge));
        needs_[id].erase(needs_[id].begin() + static_cast<std::ptrdiff_t>(edge));
    }
    const std::vector<StepId>& stack_of(const Graph::Edge& edge) const {
        return graph_.nodes[edge.from].stack;
    }
    std::string stack_text(const std::vector<StepId>& stack) const;
    std::vector<std::string> names_of(const std::vector<StepId>& ids) const;

    const Flow& flow_;
    Diagnostics& diagnostics_;
    Graph graph_;
    std::vector<std::vector<const Need*>> needs_;  ///< for each edge of a node, where it was written
    int suggestions_ = 0;
};

void Builder::add_node(const Step& step) {
    Graph::Node& node = graph_.nodes.emplace_back();
    node.name = step.name;
    // With a mistake in it, it is one all the same.
    node.foreach = step.foreach || step.is_broken("foreach");
    node.joins = step.joins || step.is_broken("join");
    node.when = step.when.has_value();
    node.when_per_item = node.foreach && node.when && mentions_item(*step.when, step.as);
    node.cleanup = step.is_cleanup();
    node.at_end = node.cleanup && step.needs.empty();
    node.wait = step.wait.has_value();
    if (step.repeat) {
        node.repeat = true;
        node.until = step.repeat->until.has_value();
        node.max_rounds = step.repeat->max;
        node.on_max_ok = step.repeat->on_max_ok;
    }
    node.caught = !step.catch_as.empty();
    node.retry = step.retry;
    if (step.limit && step.limit->value.is_int() && step.limit->value.as_int() > 0) {
        node.limit = static_cast<std::uint32_t>(step.limit->value.as_int());
    }
    if (step.priority && step.priority->value.is_int()) {
        node.priority = static_cast<std::int32_t>(step.priority->value.as_int());
    }
}

void Builder::index_names() {
    graph_.by_name.resize(graph_.nodes.size());
    for (StepId id = 0; id < graph_.nodes.size(); ++id) {
        graph_.by_name[id] = id;
    }
    std::stable_sort(graph_.by_name.begin(), graph_.by_name.end(),
                     [this](StepId a, StepId b) { return graph_.nodes[a].name < graph_.nodes[b].name; });
}

void Builder::add_edges(StepId id) {
    const Step& step = flow_.steps[id];
    Graph::Node& node = graph_.nodes[id];
    needs_.emplace_back();
    std::vector<StepId> seen;
    for (const Need& need : step.needs) {
        const StepId from = graph_.id(need.step);
        if (from == graph_.nodes.size()) {
            unknown_need(step, need);
            continue;
        }
        if (graph_.nodes[from].at_end) {
            diagnostics_.error(
                "AMP1308", need.place,
                fmt::format("step '{}' needs '{}', which runs after every other step has ended", step.name,
                            need.step),
                fmt::format("give '{}' a `needs`, or do both in one step", need.step));
            continue;
        }
        seen.push_back(from);
        node.needs.push_back({.from = from, .conditional = need.when.has_value(), .closes = 0});
        needs_[id].push_back(&need);
    }
    std::sort(seen.begin(), seen.end());
    for (auto it = std::adjacent_find(seen.begin(), seen.end()); it != seen.end();
         it = std::adjacent_find(std::upper_bound(it, seen.end(), *it), seen.end())) {
        const std::string& name = graph_.nodes[*it].name;
        diagnostics_.error("AMP1303", step.place, fmt::format("step '{}' needs '{}' twice", step.name, name),
                           "join the two conditions by `or` in one entry");
    }
}

void Builder::unknown_need(const Step& step, const Need& need) {
    std::string hint;
    if (suggestions_++ < k_max_suggestions) {
        std::vector<std::string> names;
        names.reserve(flow_.steps.size());
        for (const Step& other : flow_.steps) {
            names.push_back(other.name);
        }
        if (const auto nearest = did_you_mean(need.step, names)) {
            hint = fmt::format("did you mean '{}'?", *nearest);
        }
    }
    diagnostics_.error("AMP1301", need.place,
                       fmt::format("step '{}' needs '{}', but there is no such step", step.name, need.step),
                       hint);
}

/// Depth-first along the needs; an edge that closes a circle is reported and left out, so that the rest has
/// an order.
void Builder::break_cycles() {
    std::vector<std::uint8_t> colour(graph_.nodes.size(), 0);  // 0 new, 1 on the path, 2 done
    for (StepId id = 0; id < graph_.nodes.size(); ++id) {
        if (colour[id] == 0) {
            walk_from(id, colour);
        }
    }
}

void Builder::walk_from(StepId start, std::vector<std::uint8_t>& colour) {
    std::vector<StepId> path = {start};
    std::vector<std::size_t> edge = {0};
    std::size_t reported = 0;
    colour[start] = 1;
    while (!path.empty()) {
        const StepId id = path.back();
        const auto& needs = graph_.nodes[id].needs;
        if (edge.back() == needs.size()) {
            colour[id] = 2;
            path.pop_back();
            edge.pop_back();
            continue;
        }
        const StepId from = needs[edge.back()].from;
        if (colour[from] == 1) {
            if (reported++ < k_max_reported_cycles) {
                report_cycle(path, from, *needs_[id][edge.back()]);
            }
            remove_edge(id, edge.back());
            continue;
        }
        ++edge.back();
        if (colour[from] == 0) {
            colour[from] = 1;
            path.push_back(from);
            edge.push_back(0);
        }
    }
}

void Builder::report_cycle(const std::vector<StepId>& path, StepId again, const Need& need) {
    const auto begin = std::find(path.begin(), path.end(), again);
    std::vector<std::string> names = names_of({begin, path.end()});
    names.push_back(graph_.nodes[again].name);
    if (names.size() > k_max_shown_names) {
        const auto cut = static_cast<std::ptrdiff_t>(k_max_shown_names / 2);
        const std::size_t left_out = names.size() - k_max_shown_names;
        names.erase(names.begin() + cut, names.end() - cut);
        names.insert(names.begin() + cut, fmt::format("… {} more …", left_out));
    }
    diagnostics_.error("AMP1302", need.place,
                       fmt::format("steps need each other in a circle: {}", amp::join(names, " needs ")),
                       "take one of these needs away; to do a step again use `repeat`");
}

void Builder::find_order() {
    std::vector<std::size_t> open(graph_.nodes.size());
    std::vector<std::vector<StepId>> next(graph_.nodes.size());
    std::priority_queue<StepId, std::vector<StepId>, std::greater<>> ready;
    for (StepId id = 0; id < graph_.nodes.size(); ++id) {
        open[id] = graph_.nodes[id].needs.size();
        for (const Graph::Edge& edge : graph_.nodes[id].needs) {
            next[edge.from].push_back(id);
        }
        if (open[id] == 0) {
            ready.push(id);
        }
    }
    while (!ready.empty()) {
        const StepId id = ready.top();
        ready.pop();
        graph_.order.push_back(id);
        for (const StepId after : next[id]) {
            if (--open[after] == 0) {
                ready.push(after);
            }
        }
    }
}

void Builder::find_stack(StepId id) {
    Graph::Node& node = graph_.nodes[id];
    const Step& step = flow_.steps[id];
    if (node.joins) {
        join_stack(id);
    } else {
        plain_stack(id);
    }
    if (node.foreach && node.joins) {
        diagnostics_.error("AMP1305", step.place_of("join"),
                           fmt::format("step '{}' has both `foreach` and `join`", step.name),
                           "put a step with `join` between, and let the foreach step need that");
    }
    if (!node.foreach) {
        return;
    }
    if (node.stack.size() == k_max_foreach_depth) {
        diagnostics_.error(
            "AMP1309", step.place,
            fmt::format("step '{}' is the {}th foreach inside another", step.name, k_max_foreach_depth + 1),
            "close some with `join` before");
        return;
    }
    node.stack.push_back(id);
}

const std::vector<StepId>& Builder::longest_stack(StepId id) const {
    static const std::vector<StepId> none;
    const std::vector<StepId>* longest = &none;
    const std::string& wanted = flow_.steps[id].join_step;
    bool holds_wanted = false;
    for (const Graph::Edge& edge : graph_.nodes[id].needs) {
        const std::vector<StepId>& stack = stack_of(edge);
        const bool holds = !wanted.empty() && std::any_of(stack.begin(), stack.end(), [&](StepId open) {
            return graph_.nodes[open].name == wanted;
        });
        // Among equally long ones that which `join = "STEP"` speaks of.
        if (stack.size() > longest->size() || (stack.size() == longest->size() && holds && !holds_wanted)) {
            longest = &stack;
            holds_wanted = holds;
        }
    }
    return *longest;
}

void Builder::plain_stack(StepId id) {
    const std::vector<StepId> longest = longest_stack(id);
    for (std::size_t i = graph_.nodes[id].needs.size(); i-- > 0;) {
        if (!is_prefix(stack_of(graph_.nodes[id].needs[i]), longest)) {
            report_incompatible(id, i, longest, longest.size());
            remove_edge(id, i);
        }
    }
    graph_.nodes[id].stack = longest;
}

void Builder::join_stack(StepId id) {
    const std::vector<StepId> longest = longest_stack(id);
    const std::size_t kept = open_levels_kept(id, longest);
    const std::vector<StepId> rest(longest.begin(), longest.begin() + static_cast<std::ptrdiff_t>(kept));
    for (std::size_t i = graph_.nodes[id].needs.size(); i-- > 0;) {
        Graph::Edge& edge = graph_.nodes[id].needs[i];
        const std::vector<StepId>& stack = stack_of(edge);
        if (is_prefix(stack, rest)) {
            continue;  // plain: shared by all items
        }
        if (is_prefix(rest, stack)) {
            edge.closes = static_cast<std::uint32_t>(stack.size() - kept);
            continue;
        }
        report_incompatible(id, i, longest, kept);
        remove_edge(id, i);
    }
    graph_.nodes[id].stack = rest;
}

/// How many levels of `longest` stay open behind the join `id`.
std::size_t Builder::open_levels_kept(StepId id, const std::vector<StepId>& longest) {
    const Step& step = flow_.steps[id];
    if (longest.empty() && graph_.doubtful[id]) {
        return 0;
    }
    if (longest.empty()) {
        diagnostics_.error("AMP1306", step.place_of("join"),
                           fmt::format("step '{}' has `join`, but no foreach is open before it", step.name),
                           "take `join` away: a step that needs several waits for all of them anyway");
        return 0;
    }
    if (step.join_step.empty()) {
        return longest.size() - 1;
    }
    for (std::size_t level = 0; level < longest.size(); ++level) {
        if (graph_.nodes[longest[level]].name == step.join_step) {
            return level;
        }
    }
    if (!graph_.doubtful[id]) {
        report_join_step(step, longest);
        graph_.doubtful[id] = true;
    }
    return longest.size() - 1;
}

void Builder::report_join_step(const Step& step, const std::vector<StepId>& longest) {
    std::vector<std::string> words = names_of(longest);
    words.insert(words.end(), {"true", "false"});
    std::string hint =
        fmt::format("say join = true, or join = \"{}\"", amp::join(names_of(longest), "\" or \""));
    if (const auto nearest = did_you_mean(step.join_step, words)) {
        const std::string_view quote = *nearest == "true" || *nearest == "false" ? "" : "'";
        hint = fmt::format("did you mean {0}{1}{0}?", quote, *nearest);
    }
    const bool known = graph_.id(step.join_step) < graph_.nodes.size();
    diagnostics_.error(
        "AMP1307", step.place_of("join"),
        fmt::format("step '{}' has join = \"{}\", but {}open before it is {}", step.name,
                    printable(step.join_step), known ? "" : "there is no such step; ", stack_text(longest)),
        hint);
}

void Builder::report_incompatible(StepId id, std::size_t edge, const std::vector<StepId>& longest,
                                  std::size_t kept) {
    const Graph::Node& node = graph_.nodes[id];
    const auto first = std::find_if(node.needs.begin(), node.needs.end(),
                                    [&](const Graph::Edge& e) { return stack_of(e) == longest; });
    const std::string deepest = first == node.needs.end() ? "another step" : graph_.nodes[first->from].name;
    diagnostics_.error(
        "AMP1304", needs_[id][edge]->place,
        fmt::format("step '{}' needs '{}' inside {} and '{}' inside {}, which do not fit together", node.name,
                    deepest, stack_text(longest), graph_.nodes[node.needs[edge].from].name,
                    stack_text(stack_of(node.needs[edge]))),
        node.joins && kept > 0
            ? fmt::format("join = \"{}\" would close all of them", graph_.nodes[longest.front()].name)
            : "close one of the foreaches before, in a step with `join = true`");
}

std::string Builder::stack_text(const std::vector<StepId>& stack) const {
    return stack.empty() ? "no foreach" : fmt::format("foreach [{}]", amp::join(names_of(stack), ", "));
}

std::vector<std::string> Builder::names_of(const std::vector<StepId>& ids) const {
    std::vector<std::string> names;
    names.reserve(ids.size());
    for (const StepId id : ids) {
        names.push_back(graph_.nodes[id].name);
    }
    return names;
}

}  // namespace

StepId Graph::id(std::string_view name) const {
    const auto it = std::lower_bound(by_name.begin(), by_name.end(), name,
                                     [this](StepId a, std::string_view b) { return nodes[a].name < b; });
    return it != by_name.end() && nodes[*it].name == name ? *it : static_cast<StepId>(nodes.size());
}

Graph build_graph(const Flow& flow, Diagnostics& diagnostics) {
    return Builder(flow, diagnostics).build();
}

}  // namespace amp
