#include "core/run/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"

namespace amp {

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
        take_adopted_end(objects_present(store_, result)
                             ? result
                             : failed_result({result.task, result.attempt}, Cause::lost,
                                             "its outputs never reached the disk"));
    }
    for (const AttemptId& lost : found.lost) {
        end_attempt(failed_result(lost, Cause::lost, "its keeper died"), {});
    }
    for (const AttemptStarted& running : found.running) {
        handle(running);
    }
    settle();
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
