#include "core/run/decisions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_items = 10'000'000;

bool edge_open(const RunData& data, const Question& q, std::size_t need, const RunScope& scope) {
    const auto& condition = data.step(q.step).needs[need].when;
    if (!condition) {
        return true;
    }
    const StepId from = data.graph().nodes[q.step].needs[need].from;
    const std::size_t depth = std::min(data.graph().nodes[from].stack.size(), q.index.path.size());
    const TaskIndex at{{q.index.path.begin(), q.index.path.begin() + static_cast<std::ptrdiff_t>(depth)}, 0};
    const auto task = data.plan().find(from, at);
    const bool skipped = task && data.plan().state(*task) == TaskState::skipped;
    return !skipped && truthy(condition->evaluate(scope));
}

List items_of(const Step& step, const RunScope& scope) {
    const Value list = step.foreach->evaluate(scope);
    if (!list.is_list()) {
        throw Error(ExitCode::invalid, fmt::format("foreach needs a list, but '{}' is a {}",
                                                   step.foreach->text(), list.type_name()));
    }
    if (list.as_list().size() > k_most_items) {
        throw Error(ExitCode::invalid, fmt::format("foreach over {} items; at most {} are possible",
                                                   list.as_list().size(), k_most_items));
    }
    return list.as_list();
}

}  // namespace

RunEvent decide(const RunData& data, const Question& q, const ArtifactLoader& load, Timestamp now) {
    const Step& step = data.step(q.step);
    const RunScope scope(data, ScopePosition{q.step, q.index, 1, q.kind == Question::Kind::until}, load, now);
    RunEvent event{.event = {}, .at = now};
    switch (q.kind) {
        case Question::Kind::edges: {
            EdgesDecided decided{q.step, q.index, {}};
            for (std::size_t need = 0; need < step.needs.size(); ++need) {
                decided.open.push_back(edge_open(data, q, need, scope));
            }
            event.event = std::move(decided);
            break;
        }
        case Question::Kind::when:
            event.event = WhenDecided{q.step, q.index, truthy(step.when->evaluate(scope))};
            break;
        case Question::Kind::items:
            event.items = items_of(step, scope);
            event.event = ItemsDecided{q.step, q.index, static_cast<std::uint32_t>(event.items.size())};
            break;
        case Question::Kind::until:
            event.event = UntilDecided{q.step, q.index, truthy(step.repeat->until->evaluate(scope))};
            break;
        case Question::Kind::wait:  // in a forecast; a driver waits
            event.event = WaitEnded{q.step, q.index};
            break;
    }
    return event;
}

}  // namespace amp
