#include "core/run/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"
#include "core/store/packs.hpp"

namespace amp {
namespace {

constexpr std::size_t k_log_tail_bytes = 2048;
constexpr std::size_t k_questions_a_turn = 4096;
constexpr std::size_t k_most_items = 10'000'000;

}  // namespace

Driver::Driver(Parts parts)
    : services_(parts.services),
      store_(parts.store),
      data_(parts.data),
      journal_(parts.journal),
      lease_(parts.lease),
      backend_(parts.backend),
      observer_(parts.observer),
      origin_(parts.origin),
      load_([this](const Artifact& artifact) { return read_artifact_value(store_, artifact); }),
      builder_(data_, load_),
      started_at_(services_.clock.steady_seconds()) {}

void Driver::adopt() {
    const Adoption found = backend_.adopt();
    for (const AttemptResult& result : found.ended) {
        if (objects_present(store_, result)) {
            end_attempt(result, definition_of(result));
        } else {
            end_attempt(failed_result({result.task, result.attempt}, Cause::lost,
                                      "its outputs never reached the disk"),
                        {});
        }
    }
    for (const AttemptId& lost : found.lost) {
        end_attempt(failed_result(lost, Cause::lost, "its keeper died"), {});
    }
    for (const AttemptStarted& running : found.running) {
        handle(running);
    }
    settle();
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

void Driver::reopen(bool retry_caught) {
    record(RunEvent{.event = RunReopened{retry_caught}, .at = now()});
    settle();
}

RunOutcome Driver::drive() {
    while (true) {
        watch_time();
        data_.plan().advance(now());
        if (stop_ == Stop::none) {
            bool moved = true;
            while (moved) {
                while (answer_questions()) {
                }
                send_cancels();
                moved = submit_ready();
            }
        }
        settle();
        const bool in_peace = stop_ == Stop::none || data_.plan().state() == RunState::succeeded;
        if (data_.plan().ended() && in_flight_.empty() && in_peace) {
            return finish();
        }
        if (stop_ == Stop::now || (stop_ == Stop::graceful && in_flight_.empty())) {
            return interrupted_outcome();
        }
        check_progress();
        services_.waiter.wait(backend_.event_fd(), seconds_to_wait());
        watch_signals();
        receive();
    }
}

/// Makes durable what happened, then tells of it.
void Driver::settle() {
    journal_.flush();
    for (const auto& tell : news_) {
        tell();
    }
    news_.clear();
    observer_.progress(data_.plan());
}

void Driver::record(RunEvent event) {
    if (!data_.apply(event)) {
        return;
    }
    const JournalEntry entry = journal_entry(event, data_.graph());
    journal_.append(entry.type, entry.payload);
}

// ---- Decisions ----

bool Driver::answer_questions() {
    const auto questions = data_.plan().take_questions(k_questions_a_turn);
    for (const Question& question : questions) {
        RunEvent event;
        try {
            event = answer(question);
        } catch (const Error& error) {
            event = RunEvent{.event = DecisionFailed{question}, .at = now(), .message = error.message()};
            first_cause_ = first_cause_ == Cause::none ? Cause::user : first_cause_;
            const TaskName name{data_.graph().nodes[question.step].name, question.index};
            news_.emplace_back(
                [this, name, text = error.message()] { observer_.note(name.text() + ": " + text); });
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
        case Question::Kind::until:
            event.event = UntilDecided{q.step, q.index, truthy(step.repeat->until->evaluate(scope))};
            break;
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

// ---- Starting ----

/// True when a task ended without being handed out, so that others may be ready now.
bool Driver::submit_ready() {
    const std::size_t window = backend_.window();
    if (in_flight_.size() >= window) {
        return false;
    }
    bool moved = false;
    std::vector<TaskSpec> specs;
    for (const TaskId task : data_.plan().take_ready(window - in_flight_.size())) {
        const bool cleanup = data_.graph().nodes[data_.plan().step(task)].cleanup;
        try {
            BuiltTask built = builder_.build(task, now(), cleanup ? failures() : Value());
            if (reuse(task, built.definition)) {
                moved = true;
                continue;
            }
            in_flight_[task] = InFlight{std::move(built.definition), false};
            specs.push_back(std::move(built.spec));
        } catch (const Error& error) {
            fail_before_start(task, error.message());
            moved = true;
        }
    }
    if (!specs.empty()) {
        journal_.flush();
        backend_.submit(specs);
    }
    return moved;
}

void Driver::fail_before_start(TaskId task, const std::string& message) {
    AttemptResult result = failed_result(attempt_id(task), Cause::user, message);
    result.exit = 202;  // an expression that failed fails again
    end_attempt(result, {});
}

/// Takes over the result of an equal definition in the run that this one goes on from.
bool Driver::reuse(TaskId task, const std::string& definition) {
    if (!origin_) {
        return false;
    }
    const StepId step = data_.plan().step(task);
    const TaskIndex index = data_.plan().index(task);
    const StepId theirs = origin_->graph().id(data_.graph().nodes[step].name);
    if (theirs >= origin_->graph().nodes.size() || !needs_reused(step, index)) {
        return false;
    }
    const auto old = origin_->plan().find(theirs, index);
    if (!old || origin_->definition(*old) != definition) {
        return false;
    }
    const TaskState state = origin_->plan().state(*old);
    if (state != TaskState::succeeded && state != TaskState::cached) {
        return false;
    }
    const auto* made = origin_->artifacts(*old);
    record(RunEvent{.event = TaskReused{step, index},
                    .at = now(),
                    .definition = definition,
                    .artifacts = made ? *made : std::map<std::string, Artifact>{}});
    news_.emplace_back(
        [this, name = TaskName{data_.graph().nodes[step].name, index}] { observer_.task_reused(name); });
    return true;
}

bool Driver::needs_reused(StepId step, const TaskIndex& index) const {
    const auto fine = [](TaskState state) {
        return state == TaskState::cached || state == TaskState::skipped;
    };
    for (const Graph::Edge& edge : data_.graph().nodes[step].needs) {
        const std::size_t depth = data_.graph().nodes[edge.from].stack.size() - edge.closes;
        if (edge.closes == 0 && depth <= index.path.size()) {
            const TaskIndex at{{index.path.begin(), index.path.begin() + static_cast<std::ptrdiff_t>(depth)},
                               0};
            const auto task = data_.plan().find(edge.from, at);
            if (task && !fine(data_.plan().state(*task))) {
                return false;
            }
            continue;
        }
        const Plan::Counts& counts = data_.plan().counts(edge.from);
        for (std::size_t state = 0; state < k_task_states; ++state) {
            if (counts[state] > 0 && !fine(static_cast<TaskState>(state))) {
                return false;
            }
        }
    }
    return true;
}

void Driver::send_cancels() {
    std::vector<AttemptId> attempts;
    for (const TaskId task : data_.plan().take_cancels()) {
        attempts.push_back(attempt_id(task));
    }
    if (!attempts.empty()) {
        backend_.cancel(attempts);
    }
    if (failures_seen_) {
        failures_seen_ = false;
        backend_.go_on();
    }
}

// ---- Events ----

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

void Driver::end_attempt(const AttemptResult& result, std::string definition) {
    const StepId step = data_.graph().id(result.task.step);
    const auto task =
        step < data_.graph().nodes.size() ? data_.plan().find(step, result.task.index) : std::nullopt;
    if (!task) {
        return;
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
        return;
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

// ---- Signals and time ----

void Driver::watch_signals() {
    const int signal = services_.waiter.terminating_signal();
    const int interrupts = services_.waiter.interrupts();
    constexpr int k_hangup = 1;
    if (signal == k_hangup || interrupts > 1) {
        // A hang-up leaves what runs to its backend; a second interrupt has no patience.
        if (interrupts > 1) {
            backend_.kill(attempts_in_flight());
        }
        stop_ = Stop::now;
        return;
    }
    if ((signal != 0 || interrupts == 1) && stop_ == Stop::none) {
        stop_ = Stop::graceful;
        const auto attempts = attempts_in_flight();
        news_.emplace_back([this, count = attempts.size()] {
            observer_.note(
                count == 0 ? "interrupted"
                           : fmt::format("interrupted: ending {} tasks (again: kill them at once)", count));
        });
        backend_.cancel(attempts);
    }
}

void Driver::watch_time() {
    const double steady = services_.clock.steady_seconds();
    if (steady >= lease_.renew_at()) {
        lease_.renew();
    }
    const Flow& flow = data_.flow();
    const bool late = flow.timeout_s > 0 && !timed_out_ && steady - started_at_ >= flow.timeout_s;
    if (late && !data_.plan().ended()) {
        timed_out_ = true;
        news_.emplace_back([this] { observer_.note("the run's timeout has passed"); });
        record(RunEvent{.event = RunTimedOut{}, .at = now()});
    }
    if (data_.plan().cleaning_up() && !cleanup_since_) {
        cleanup_since_ = steady;
    }
    if (cleanup_since_ && steady - *cleanup_since_ >= flow.cleanup_timeout_s) {
        cleanup_since_ = HUGE_VAL;  // once
        news_.emplace_back([this] { observer_.note("cleanup_timeout has passed"); });
        record(RunEvent{.event = RunTimedOut{}, .at = now()});
    }
}

double Driver::seconds_to_wait() const {
    const double steady = services_.clock.steady_seconds();
    double wait = lease_.renew_at() - steady;
    if (const auto due = data_.plan().next_due()) {
        wait = std::min(wait, due->seconds_since(now()) + 0.001);
    }
    if (data_.flow().timeout_s > 0 && !timed_out_) {
        wait = std::min(wait, started_at_ + data_.flow().timeout_s - steady);
    }
    if (cleanup_since_) {
        wait = std::min(wait, *cleanup_since_ + data_.flow().cleanup_timeout_s - steady);
    }
    return std::max(wait, 0.0);
}

/// A run that neither runs, nor waits for anything, would wait for ever: say so instead.
void Driver::check_progress() const {
    if (in_flight_.empty() && !data_.plan().next_due() && stop_ == Stop::none) {
        throw Error(ExitCode::bug,
                    fmt::format("run {} has nothing left to wait for, but has not ended", data_.record().run),
                    data_.record().run,
                    "please report this with the flow; `amp resume` goes on with the run");
    }
}

// ---- Ends ----

Value Driver::failures() const {
    List out;
    const Plan& plan = data_.plan();
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        const Value* error = plan.state(task) == TaskState::failed ? data_.error(task) : nullptr;
        if (error) {
            Object entry = error->as_object();
            entry.emplace("task", TaskName{data_.step(plan.step(task)).name, plan.index(task)}.text());
            entry.emplace("attempt", static_cast<std::int64_t>(plan.attempt(task)));
            out.push_back(std::move(entry));
        }
    }
    return out;
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

RunOutcome Driver::finish() {
    RunOutcome outcome;
    outcome.run = data_.record().run;
    outcome.state = data_.plan().state();
    outcome.caught = data_.plan().totals()[static_cast<std::size_t>(TaskState::caught)];
    outcome.timed_out = timed_out_;
    outcome.first_cause = first_cause_;
    return outcome;
}

RunOutcome Driver::interrupted_outcome() {
    RunOutcome outcome = finish();
    outcome.interrupted = true;
    outcome.signal = services_.waiter.terminating_signal();
    return outcome;
}

}  // namespace amp
