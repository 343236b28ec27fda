// The plan's questions, and their answers.

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/run/decisions.hpp"
#include "core/run/driver.hpp"
#include "core/run/task_text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_questions_a_turn = 4096;

}  // namespace

bool Driver::answer_questions() {
    const auto questions = data_.plan().take_questions(k_questions_a_turn);
    for (const Question& question : questions) {
        if (question.kind == Question::Kind::wait) {
            begin_wait(question);
            continue;
        }
        RunEvent event;
        try {
            event = answer(question);
        } catch (const Error& error) {
            fail_decision(question, Cause::user, error.advice());
            continue;
        }
        record(std::move(event));
        if (const auto task = data_.plan().find(question.step, question.index);
            task && question.kind == Question::Kind::until) {
            forget_checkpoint(*task);
        }
    }
    return !questions.empty();
}

void Driver::fail_decision(const Question& question, Cause cause, const std::string& why) {
    const TaskName name{data_.graph().nodes[question.step].name, question.index};
    if (first_cause_ == Cause::none) {
        first_cause_ = cause;
        first_failure_ = task_text(name) + ": " + why;
    }
    news_.emplace_back([this, name, why] { observer_.note(task_text(name) + ": " + why); });
    record(RunEvent{.event = DecisionFailed{question, cause}, .at = now(), .message = why});
}

/// A driver before this one may have begun it: then that is when it began.
void Driver::begin_wait(const Question& question) {
    const auto task = data_.plan().find(question.step, question.index);
    const RunData::Waiting* known = task ? data_.waiting(*task) : nullptr;
    try {
        if (known == nullptr) {
            record(RunEvent{.event = WaitBegan{question.step, question.index},
                            .at = now(),
                            .message = waits_.describe(question, now())});
            known = task ? data_.waiting(*task) : nullptr;
        }
    } catch (const Error& error) {
        fail_decision(question, Cause::user, error.advice());
        return;
    }
    if (known != nullptr) {
        waits_.add(question, known->since);
        const TaskName name{data_.graph().nodes[question.step].name, question.index};
        news_.emplace_back([this, name, what = known->what] { observer_.task_waits(name, what); });
    }
}

void Driver::watch_waits() {
    if (waits_.empty()) {
        return;
    }
    for (const Waits::Over& over : waits_.look(now())) {
        if (over.failed) {
            fail_decision(over.question, *over.failed, over.message);
            continue;
        }
        record(RunEvent{
            .event = WaitEnded{over.question.step, over.question.index}, .at = now(), .from = over.by});
        if (!over.by.empty()) {
            const TaskName name{data_.graph().nodes[over.question.step].name, over.question.index};
            news_.emplace_back(
                [this, name, by = over.by] { observer_.note(task_text(name) + ": approved by " + by); });
        }
    }
}

RunEvent Driver::answer(const Question& q) {
    const Step& step = data_.step(q.step);
    RunEvent event = given_.is_given(q.step) ? given_.answer(q, now()) : decide(data_, q, load_, now());
    const TaskName name{step.name, q.index};
    const auto* when = std::get_if<WhenDecided>(&event.event);
    const auto* until = std::get_if<UntilDecided>(&event.event);
    if (when && !when->open) {
        news_.emplace_back([this, name] { observer_.task_skipped(name); });
    }
    if (until && !until->done && q.index.round == step.repeat->max) {
        news_.emplace_back([this, name] {
            observer_.note(fmt::format("{}: `until` is still false after round {}, the last of `max`",
                                       task_text(name), name.index.round));
        });
    }
    return event;
}

}  // namespace amp
