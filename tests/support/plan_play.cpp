#include "tests/support/plan_play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/base/text.hpp"
#include "tests/support/graph_builder.hpp"

namespace amp::test {

namespace {

struct Named {
    StepId step = 0;
    TaskIndex index;
};

Named named(const Graph& graph, std::string_view task) {
    TaskName name = TaskName::parse(task);
    const StepId step = graph.id(name.step);
    if (step == graph.nodes.size()) {
        throw std::invalid_argument("unknown step in " + std::string(task));
    }
    return {step, std::move(name.index)};
}

}  // namespace

PlanPlay::PlanPlay(std::string_view text, PlanOptions options)
    : graph(graph_of(text)), plan(graph, options) {}

bool PlanPlay::edges(std::string_view task, std::vector<bool> open) {
    const auto [step, index] = named(graph, task);
    return apply(EdgesDecided{step, index, std::move(open)});
}

bool PlanPlay::when(std::string_view task, bool open) {
    const auto [step, index] = named(graph, task);
    return apply(WhenDecided{step, index, open});
}

bool PlanPlay::items(std::string_view task, std::uint32_t count) {
    const auto [step, index] = named(graph, task);
    return apply(ItemsDecided{step, index, count});
}

bool PlanPlay::until(std::string_view task, bool done) {
    const auto [step, index] = named(graph, task);
    return apply(UntilDecided{step, index, done});
}

bool PlanPlay::fail_decision(Question::Kind kind, std::string_view task) {
    const auto [step, index] = named(graph, task);
    return apply(DecisionFailed{{kind, step, index}});
}

bool PlanPlay::start(std::string_view task) {
    return apply(TaskStarted{plan.step(id(task)), plan.index(id(task)), plan.attempt(id(task))});
}

bool PlanPlay::end(std::string_view task, Cause cause, bool never_retry) {
    return apply(
        TaskEnded{plan.step(id(task)), plan.index(id(task)), plan.attempt(id(task)), cause, never_retry});
}

void PlanPlay::wait(double seconds) {
    now = now.plus_seconds(seconds);
    plan.advance(now);
}

TaskId PlanPlay::id(std::string_view task) const {
    const auto [step, index] = named(graph, task);
    const auto found = plan.find(step, index);
    return found ? *found : throw std::invalid_argument("no task " + std::string(task));
}

std::string PlanPlay::name(TaskId task) const {
    return TaskName{graph.nodes[plan.step(task)].name, plan.index(task)}.text();
}

std::string PlanPlay::names(const std::vector<TaskId>& tasks) const {
    std::vector<std::string> list;
    std::transform(tasks.begin(), tasks.end(), std::back_inserter(list),
                   [this](TaskId t) { return name(t); });
    return join(list, " ");
}

std::string PlanPlay::tasks() const {
    std::vector<TaskId> ids;
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task)) {
            ids.push_back(task);
        }
    }
    std::sort(ids.begin(), ids.end(), [this](TaskId a, TaskId b) {
        return std::pair(plan.step(a), plan.index(a)) < std::pair(plan.step(b), plan.index(b));
    });
    std::vector<std::string> list;
    list.reserve(ids.size());
    for (const TaskId task : ids) {
        list.push_back(fmt::format("{} {}", name(task), state_name(plan.state(task))));
    }
    return join(list, ", ");
}

std::string PlanPlay::state(std::string_view task) const {
    return std::string(state_name(plan.state(id(task))));
}

std::uint32_t PlanPlay::attempt(std::string_view task) const {
    return plan.attempt(id(task));
}

std::string PlanPlay::take_ready(std::size_t max) {
    return names(plan.take_ready(max));
}

std::string PlanPlay::take_cancels() {
    return names(plan.take_cancels());
}

std::string PlanPlay::take_questions() {
    static constexpr std::array<std::string_view, 5> k_kinds = {"edges", "when", "items", "until", "wait"};
    std::vector<std::string> list;
    for (const Question& q : plan.take_questions(1000)) {
        list.push_back(fmt::format("{} {}/{}", k_kinds.at(static_cast<std::size_t>(q.kind)),
                                   graph.nodes[q.step].name, q.index.text()));
    }
    return join(list, ", ");
}

}  // namespace amp::test
