// The plan's questions, and their answers.

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/driver.hpp"

namespace amp {
namespace {

constexpr std::size_t k_questions_a_turn = 4096;
constexpr std::size_t k_most_items = 10'000'000;

}  // namespace

bool Driver::answer_questions() {
    const auto questions = data_.plan().take_questions(k_questions_a_turn);
    for (const Question& question : questions) {
        RunEvent event;
        try {
            event = answer(question);
        } catch (const Error& error) {
            event = RunEvent{.event = DecisionFailed{question}, .at = now(), .message = error.advice()};
            first_cause_ = first_cause_ == Cause::none ? Cause::user : first_cause_;
            const TaskName name{data_.graph().nodes[question.step].name, question.index};
            news_.emplace_back(
                [this, name, text = error.advice()] { observer_.note(name.text() + ": " + text); });
        }
        record(std::move(event));
    }
    return !questions.empty();
}

RunEvent Driver::answer(const Question& q) {
    const Step& step = data_.step(q.step);
    const RunScope scope(data_, ScopePosition{q.step, q.index, 1, q.kind == Question::Kind::until}, load_,
                         now());
    RunEvent event{.event = {}, .at = now()};
    switch (q.kind) {
        case Question::Kind::edges: {
            EdgesDecided decided{q.step, q.index, {}};
            for (std::size_t need = 0; need < step.needs.size(); ++need) {
                decided.open.push_back(edge_open(q, need, scope));
            }
            event.event = std::move(decided);
            break;
        }
        case Question::Kind::when: {
            const bool open = truthy(step.when->evaluate(scope));
            event.event = WhenDecided{q.step, q.index, open};
            if (!open) {
                news_.emplace_back(
                    [this, name = TaskName{step.name, q.index}] { observer_.task_skipped(name); });
            }
            break;
        }
        case Question::Kind::items: {
            const Value list = step.foreach->evaluate(scope);
            if (!list.is_list()) {
                throw Error(ExitCode::invalid, fmt::format("foreach needs a list, but '{}' is a {}",
                                                           step.foreach->text(), list.type_name()));
            }
            if (list.as_list().size() > k_most_items) {
                throw Error(ExitCode::invalid, fmt::format("foreach over {} items; at most {} are possible",
                                                           list.as_list().size(), k_most_items));
            }
            event.items = list.as_list();
            event.event = ItemsDecided{q.step, q.index, static_cast<std::uint32_t>(event.items.size())};
            break;
        }
        case Question::Kind::until: {
            const bool done = truthy(step.repeat->until->evaluate(scope));
            event.event = UntilDecided{q.step, q.index, done};
            if (!done && q.index.round == step.repeat->max) {
                news_.emplace_back([this, name = TaskName{step.name, q.index}] {
                    observer_.note(fmt::format("{}: `until` is still false after round {}, the last of `max`",
                                               name.text(), name.index.round));
                });
            }
            break;
        }
    }
    return event;
}

bool Driver::edge_open(const Question& q, std::size_t need, const RunScope& scope) const {
    const auto& condition = data_.step(q.step).needs[need].when;
    if (!condition) {
        return true;
    }
    const StepId from = data_.graph().nodes[q.step].needs[need].from;
    const std::size_t depth = std::min(data_.graph().nodes[from].stack.size(), q.index.path.size());
    const TaskIndex at{{q.index.path.begin(), q.index.path.begin() + static_cast<std::ptrdiff_t>(depth)}, 0};
    const auto task = data_.plan().find(from, at);
    const bool skipped = task && data_.plan().state(*task) == TaskState::skipped;
    return !skipped && truthy(condition->evaluate(scope));
}

}  // namespace amp
