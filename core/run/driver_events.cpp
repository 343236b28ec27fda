// What the backend tells.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/driver.hpp"
#include "core/run/log_tail.hpp"
#include "core/run/task_text.hpp"
#include "core/store/packs.hpp"
#include "core/task/checkpoint.hpp"

namespace amp {
namespace {

constexpr std::size_t k_log_tail_bytes = 2048;
constexpr int k_most_losses = 5;
constexpr double k_second_pause_s = 0.2;  // the first time there is none
constexpr double k_pause_grows = 3;

double pause_after(int losses) {
    return losses < 2 ? 0 : k_second_pause_s * std::pow(k_pause_grows, losses - 2);
}

}  // namespace

void Driver::receive() {
    watch_signals();
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
    losses_ = 0;
    in_flight_[*data_.plan().find(step, event.id.task.index)].started = true;
    news_.emplace_back(
        [this, event] { observer_.task_started(event.id.task, event.id.attempt, event.where); });
}

void Driver::handle(const AttemptEnded& event) {
    losses_ = 0;
    end_attempt(event.result, {});
}

void Driver::handle(const SpawnAsked& event) {
    runs_.spawn(event);
}

void Driver::handle(const BackendNote& event) {
    news_.emplace_back([this, text = event.text] { observer_.note(text); });
}

bool Driver::end_attempt(const AttemptResult& result, std::string definition) {
    const StepId step = data_.graph().id(result.task.step);
    const auto task =
        step < data_.graph().nodes.size() ? data_.plan().find(step, result.task.index) : std::nullopt;
    if (!task) {
        return false;
    }
    InFlight flight;
    if (const auto it = in_flight_.find(*task); it != in_flight_.end()) {
        flight = std::move(it->second);
        definition = std::move(flight.definition);
        in_flight_.erase(it);
    }
    RunEvent event{
        .event = TaskEnded{step, result.task.index, result.attempt, result.cause, result.exit == 202},
        .at = result.ended,
        .result = result};
    if (result.succeeded()) {
        event.definition = std::move(definition);
    } else {
        event.log_tail = log_tail(*store_.files, result, k_log_tail_bytes);
        failures_seen_ = true;
    }
    if (!data_.apply(event)) {
        return false;
    }
    const JournalEntry entry = journal_entry(event, data_.graph());
    journal_.append(entry.type, entry.payload);
    keep_result(result, step, event.definition);
    forget_checkpoint(*task);
    const bool again = data_.plan().state(*task) == TaskState::ready && !result.succeeded();
    const TaskState state = again ? TaskState::retrying : data_.plan().state(*task);
    if (state == TaskState::failed && first_cause_ == Cause::none) {
        first_cause_ = result.cause;
        first_failure_ =
            fmt::format("{}: {}", task_text(result.task),
                        result.message.empty() ? fmt::format("exit {}", result.exit) : result.message);
        first_exit_ = result.exit;
    }
    const auto retry_at = data_.plan().due(*task);
    news_.emplace_back([this, result, state, retry_at] { observer_.task_ended(result, state, retry_at); });
    keep_place(result, state, flight);
    return true;
}

/// Of a task that has succeeded, once its end is in the journal.
void Driver::forget_checkpoint(TaskId task) {
    const StepId step = data_.plan().step(task);
    if (data_.step(step).checkpoint_s && data_.plan().state(task) == TaskState::succeeded) {
        news_.emplace_back([this, name = TaskName{data_.step(step).name, data_.plan().index(task)}] {
            drop_checkpoint(*store_.objects, data_.record().run, name);
        });
    }
}

void Driver::handle(const CancelAsked& event) {
    if (!cancelled_) {
        cancelled_ = true;
        news_.emplace_back([this, who = event.who] { observer_.note("cancelled by " + who); });
        end_holds();
        record(RunEvent{.event = RunCancelled{}, .at = now()});
    }
}

void Driver::handle(const BackendLost& event) {
    news_.emplace_back([this, reason = event.reason] { observer_.note(reason); });
    lease_.renew();    // throws when a later driver is why: then nothing of this is ours to tell
    if (event.held) {  // places went with it
        holds_.end(*event.held);
    } else {
        holds_.end_all();
    }
    ++losses_;
    backend_open_ = false;
    open_at_ = services_.clock.steady_seconds() + pause_after(losses_);
    const auto were = std::move(in_flight_);
    in_flight_.clear();
    const auto held =
        event.held ? std::optional(std::set(event.held->begin(), event.held->end())) : std::nullopt;
    for (const auto& [task, flight] : were) {
        if (flight.child || (held && !held->contains(attempt_id(task)))) {  // another backend's
            in_flight_.emplace(task, flight);
            continue;
        }
        if (!flight.started) {
            record(RunEvent{.event = TaskReturned{data_.plan().step(task), data_.plan().index(task)},
                            .at = now()});
            continue;
        }
        AttemptResult result;
        end_attempt(failed_result(attempt_id(task), Cause::lost, event.reason), {});
    }
    if (losses_ == k_most_losses) {
        settle();
        throw Error(ExitCode::infrastructure,
                    fmt::format("{} times in a row no task could start: {}", losses_, event.reason),
                    data_.record().run, "when that is mended, `amp resume` goes on with the run");
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
    AttemptResult result = std::move(known->second);
    ended_before_.erase(known);
    if (outputs_lost_ && result.succeeded()) {  // it may have read what is lost, and is made anew
        result = failed_result({result.task, result.attempt}, Cause::lost,
                               "what it was made from had to be made again");
    }
    const Cause first_cause = first_cause_;
    end_attempt(result, definition);
    if (reopened_ && data_.plan().state(task) == TaskState::failed) {
        // What had failed before the run was resumed is done again, under the next number.
        first_cause_ = first_cause;
        record(RunEvent{.event = RunReopened{false}, .at = now()});
    }
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
