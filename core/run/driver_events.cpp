// What the backend tells.

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/driver.hpp"
#include "core/store/packs.hpp"

namespace amp {
namespace {

constexpr std::size_t k_log_tail_bytes = 2048;

}  // namespace

void Driver::receive() {
    for (const BackendEvent& event : backend_.events()) {
        std::visit([this](const auto& e) { handle(e); }, event);
    }
}

void Driver::handle(const AttemptQueued& event) {
    news_.emplace_back([this, event] { observer_.task_queued(event.id.task, event.reason); });
}

void Driver::handle(const AttemptStarted& event) {
    const StepId step = data_.graph().id(event.id.task.step);
    const TaskStarted started{step, event.id.task.index, event.id.attempt};
    if (step >= data_.graph().nodes.size() || !data_.plan().apply(started, event.at)) {
        return;
    }
    in_flight_[*data_.plan().find(step, event.id.task.index)].started = true;
    news_.emplace_back(
        [this, event] { observer_.task_started(event.id.task, event.id.attempt, event.where); });
}

void Driver::handle(const AttemptEnded& event) {
    end_attempt(event.result, {});
}

bool Driver::end_attempt(const AttemptResult& result, std::string definition) {
    const StepId step = data_.graph().id(result.task.step);
    const auto task =
        step < data_.graph().nodes.size() ? data_.plan().find(step, result.task.index) : std::nullopt;
    if (!task) {
        return false;
    }
    if (const auto it = in_flight_.find(*task); it != in_flight_.end()) {
        definition = std::move(it->second.definition);
        in_flight_.erase(it);
    }
    RunEvent event{
        .event = TaskEnded{step, result.task.index, result.attempt, result.cause, result.exit == 202},
        .at = result.ended,
        .result = result};
    if (result.succeeded()) {
        event.definition = std::move(definition);
    } else {
        event.log_tail = log_tail(result);
        failures_seen_ = true;
    }
    if (!data_.apply(event)) {
        return false;
    }
    const JournalEntry entry = journal_entry(event, data_.graph());
    journal_.append(entry.type, entry.payload);
    const bool again = data_.plan().state(*task) == TaskState::ready && !result.succeeded();
    const TaskState state = again ? TaskState::retrying : data_.plan().state(*task);
    if (state == TaskState::failed && first_cause_ == Cause::none) {
        first_cause_ = result.cause;
    }
    const auto retry_at = state == TaskState::retrying ? data_.plan().next_due() : std::nullopt;
    news_.emplace_back([this, result, state, retry_at] { observer_.task_ended(result, state, retry_at); });
    return true;
}

void Driver::handle(const CancelAsked& event) {
    if (!cancelled_) {
        cancelled_ = true;
        news_.emplace_back([this, who = event.who] { observer_.note("cancelled by " + who); });
        record(RunEvent{.event = RunCancelled{}, .at = now()});
    }
}

void Driver::handle(const BackendLost& event) {
    news_.emplace_back([this, reason = event.reason] { observer_.note(reason); });
    lease_.renew();  // throws when a later driver is why: then nothing of this is ours to tell
    const auto held = std::move(in_flight_);
    in_flight_.clear();
    for (const auto& [task, flight] : held) {
        if (!flight.started) {
            record(RunEvent{.event = TaskReturned{data_.plan().step(task), data_.plan().index(task)},
                            .at = now()});
            continue;
        }
        AttemptResult result;
        end_attempt(failed_result(attempt_id(task), Cause::lost, event.reason), {});
    }
}

/// Applied now, if the plan is as far as that; else kept until the attempt is due.
void Driver::take_adopted_end(const AttemptResult& result) {
    const StepId step = data_.graph().id(result.task.step);
    if (step >= data_.graph().nodes.size() || end_attempt(result, definition_of(result))) {
        return;
    }
    const auto task = data_.plan().find(step, result.task.index);
    if (!task || !is_terminal(data_.plan().state(*task))) {
        ended_before_[{result.task, result.attempt}] = result;
    }
}

/// True when the attempt that is due had ended under an earlier driver.
bool Driver::end_again(TaskId task, const std::string& definition) {
    const auto known = ended_before_.empty() ? ended_before_.end() : ended_before_.find(attempt_id(task));
    if (known == ended_before_.end()) {
        return false;
    }
    const AttemptResult result = std::move(known->second);
    ended_before_.erase(known);
    end_attempt(result, definition);
    return true;
}

AttemptId Driver::attempt_id(TaskId task) const {
    const Plan& plan = data_.plan();
    return {TaskName{data_.step(plan.step(task)).name, plan.index(task)}, plan.attempt(task)};
}

std::vector<AttemptId> Driver::attempts_in_flight() const {
    std::vector<AttemptId> attempts;
    for (const auto& [task, flight] : in_flight_) {
        attempts.push_back(attempt_id(task));
    }
    return attempts;
}

/// Of an attempt that ended without a word of its own.
AttemptResult Driver::failed_result(const AttemptId& id, Cause cause, const std::string& message) const {
    AttemptResult result;
    result.task = id.task;
    result.attempt = id.attempt;
    result.cause = cause;
    result.exit = -1;
    result.message = message;
    result.started = result.ended = now();
    return result;
}

std::string Driver::log_tail(const AttemptResult& result) const {
    std::string tail;
    for (auto piece = result.log.rbegin(); piece != result.log.rend() && tail.size() < k_log_tail_bytes;
         ++piece) {
        try {
            tail.insert(0, read_piece(*store_.files, *piece));
        } catch (const Error&) {
            break;  // the tail is a service; the log itself says what is wrong with it
        }
    }
    if (tail.size() > k_log_tail_bytes) {
        tail.erase(0, tail.size() - k_log_tail_bytes);
        tail.erase(0, std::min(tail.find('\n') + 1, tail.size()));
    }
    return tail;
}

/// Of an attempt that another driver handed out: the task would be built the same way again.
std::string Driver::definition_of(const AttemptResult& result) {
    const StepId step = data_.graph().id(result.task.step);
    const auto task =
        step < data_.graph().nodes.size() ? data_.plan().find(step, result.task.index) : std::nullopt;
    if (!task || !result.succeeded() || is_terminal(data_.plan().state(*task))) {
        return {};
    }
    try {
        return builder_.build(*task, now()).definition;
    } catch (const Error&) {
        return {};  // then it is not reused by a later run, which is safe
    }
}

}  // namespace amp
