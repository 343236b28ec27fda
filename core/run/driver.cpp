#include "core/run/driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/run/artifact_values.hpp"

namespace amp {
namespace {

/// How long the ends of killed tasks are waited for: most come at once.
constexpr double k_last_ends_s = 1;

}  // namespace

Driver::Driver(Parts parts)
    : services_(parts.services),
      store_(parts.store),
      data_(parts.data),
      journal_(parts.journal),
      lease_(parts.lease),
      backend_(parts.backend),
      runs_(parts.runs),
      observer_(parts.observer),
      origin_(parts.origin),
      given_(data_, origin_),
      load_([this](const Artifact& artifact) { return read_artifact_value(store_, artifact); }),
      builder_(data_, load_),
      results_(store_),
      waits_(services_, store_, data_, load_),
      holds_(services_, store_, data_.record().run),
      hold_s_(parts.hold_s),
      told_cuts_(data_.record().cuts.begin(), data_.record().cuts.end()),
      no_cache_(parts.no_cache),
      started_at_(services_.clock.steady_seconds()) {
    if (data_.record().fit) {
        builder_.set_limits(services_.machine());
    }
}

void Driver::adopt() {
    const Adoption found = backend_.adopt();
    for (const Hold& hold : read_holds(*store_.objects, data_.record().run)) {  // they went with their driver
        end_hold(*store_.objects, data_.record().run, hold.task);
    }
    for (const AttemptResult& result : found.ended) {
        const bool whole = objects_present(store_, result);
        outputs_lost_ = outputs_lost_ || !whole;
        take_adopted_end(whole ? result
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

std::optional<Resources> Driver::need_of(const AttemptId& id) {
    const StepId step = data_.graph().id(id.task.step);
    const auto task =
        step < data_.graph().nodes.size() ? data_.plan().find(step, id.task.index) : std::nullopt;
    if (!task) {
        return Resources{};
    }
    try {
        const TaskSpec spec = builder_.build(*task, now(), {}, id.attempt).spec;
        return spec.profile.empty() ? std::optional(total_resources(spec)) : std::nullopt;
    } catch (const Error&) {  // it was started with what is not there any more
        return Resources{};
    }
}

void Driver::reopen(bool retry_caught) {
    reopened_ = true;
    record(RunEvent{.event = RunReopened{retry_caught}, .at = now()});
    settle();
}

std::optional<RunOutcome> Driver::advance() {
    watch_time();
    data_.plan().advance(now());
    watch_room();
    if (stop_ == Stop::none) {
        watch_waits();
        watch_holds();
        open_backend();
        bool moved = true;
        while (moved) {
            while (answer_questions()) {
            }
            send_cancels();
            send_freed();
            moved = backend_open_ && submit_ready();
        }
    }
    settle();
    const bool in_peace = stop_ == Stop::none || data_.plan().state() == RunState::succeeded;
    if (data_.plan().ended() && in_flight_.empty() && in_peace && holds_.empty()) {
        return finish();
    }
    if (stop_ == Stop::now || (stop_ != Stop::none && in_flight_.empty())) {
        end_holds();
        return interrupted_outcome();
    }
    check_progress();
    return std::nullopt;
}

/// Also while nothing is ready, so that somebody can be asked to cancel.
void Driver::open_backend() {
    if (backend_open_ || data_.plan().ended() || services_.clock.steady_seconds() < open_at_) {
        return;
    }
    lease_.check();  // who has slept until another took over must start nothing
    backend_.open();
    backend_open_ = true;
}

/// Objects first: no record names one that may be gone after a crash.
void Driver::flush_journal() {
    if (std::exchange(objects_made_, false)) {
        store_.objects->sync_pending();
    }
    journal_.flush();
}

/// Makes durable what happened, then tells of it.
void Driver::settle() {
    flush_journal();
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
    const int signal = services_.waiter.get().terminating_signal();
    const int interrupts = services_.waiter.get().interrupts();
    constexpr int k_hangup = 1;
    if (signal == k_hangup) {  // leaves what runs to its backend
        stop_ = Stop::now;
        return;
    }
    if ((interrupts > 0 || signal != 0) && stop_ == Stop::none && interrupts_holds()) {
        return;
    }
    if (interrupts > 1) {
        kill_all();
    } else if (signal != 0 || interrupts == 1) {
        end_gracefully();
    }
    if (interrupts > 2) {
        leave_killed();
    }
}

void Driver::end_gracefully() {
    if (stop_ >= Stop::graceful) {
        return;
    }
    stop_ = Stop::graceful;
    const auto attempts = attempts_in_flight();
    news_.emplace_back([this, count = attempts.size()] {
        observer_.note(count == 0
                           ? "interrupted"
                           : fmt::format("interrupted: ending {} tasks (again: kill them at once)", count));
    });
    end_holds();
    backend_.cancel(attempts);
}

/// A second interrupt has no patience with tasks. Those that are killed end within a moment, and their ends
/// are taken in, so that the journal has them; a third has no patience with us.
void Driver::kill_all() {
    if (stop_ >= Stop::killing) {
        return;
    }
    stop_ = Stop::killing;
    leaves_at_ = services_.clock.steady_seconds() + k_last_ends_s;
    backend_.kill(attempts_in_flight());
}

void Driver::leave_killed() {
    if (stop_ == Stop::killing && !in_flight_.empty()) {
        news_.emplace_back([this, count = in_flight_.size()] {
            observer_.note(fmt::format("{} {} killed, and not seen to end: `amp resume` finds out", count,
                                       count == 1 ? "task was" : "tasks were"));
        });
    }
    stop_ = Stop::now;
}

/// In a full store there is room for how things ended and for nothing more.
void Driver::watch_room() {
    if (stop_ != Stop::none || !store_.files->is_full()) {
        return;
    }
    stop_ = Stop::draining;
    std::vector<AttemptId> waiting;
    for (const auto& [task, flight] : in_flight_) {
        if (!flight.started) {
            waiting.push_back(attempt_id(task));
        }
    }
    backend_.cancel(waiting);
    news_.emplace_back(
        [this] { observer_.note("the store is full: what runs may end, nothing more is started"); });
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
    if (stop_ == Stop::killing && steady >= leaves_at_) {
        leave_killed();
    }
    if (cleanup_since_ && steady - *cleanup_since_ >= flow.cleanup_timeout_s) {
        cleanup_since_ = HUGE_VAL;  // once
        news_.emplace_back([this] { observer_.note("cleanup_timeout has passed"); });
        record(RunEvent{.event = RunTimedOut{}, .at = now()});
    }
}

std::vector<int> Driver::wait_fds() const {
    if (stop_ != Stop::none) {
        return {};  // nobody looks any more
    }
    std::vector<int> fds = waits_.fds();
    if (holds_.fd() >= 0) {
        fds.push_back(holds_.fd());
    }
    return fds;
}

double Driver::seconds_to_wait() const {
    const double steady = services_.clock.steady_seconds();
    double wait = lease_.renew_at() - steady;
    if (!backend_open_ && stop_ == Stop::none && !data_.plan().ended()) {
        wait = std::min(wait, open_at_ - steady);
    }
    if (const auto due = data_.plan().next_due()) {
        wait = std::min(wait, due->seconds_since(now()) + 0.001);
    }
    if (stop_ == Stop::none) {
        wait = std::min({wait, waits_.seconds_to_look(), holds_.seconds_to_look()});
    }
    if (stop_ == Stop::killing) {
        wait = std::min(wait, leaves_at_ - steady);
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
    const bool waits = !in_flight_.empty() || data_.plan().next_due() || !waits_.empty() || !holds_.empty();
    if (!waits && backend_open_ && stop_ == Stop::none) {
        throw Error(ExitCode::bug,
                    fmt::format("run {} has nothing left to wait for, but has not ended", data_.record().run),
                    data_.record().run,
                    "please report this with the flow; `amp resume` goes on with the run");
    }
}

RunOutcome Driver::finish() {
    if (std::exchange(results_kept_, false)) {
        store_.objects->sync_pending();
    }
    RunOutcome outcome;
    outcome.run = data_.record().run;
    outcome.state = data_.plan().state();
    outcome.caught = data_.plan().totals()[static_cast<std::size_t>(TaskState::caught)];
    outcome.timed_out = timed_out_;
    outcome.first_cause = first_cause_;
    outcome.first_failure = first_failure_;
    outcome.first_exit = first_exit_;
    return outcome;
}

RunOutcome Driver::interrupted_outcome() {
    RunOutcome outcome = finish();
    outcome.interrupted = true;
    outcome.store_full = stop_ == Stop::draining;
    outcome.signal = services_.waiter.get().terminating_signal();
    return outcome;
}

}  // namespace amp
