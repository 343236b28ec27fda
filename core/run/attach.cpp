#include "core/run/attach.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "core/base/error.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_changes.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/task_text.hpp"
#include "core/run/turns.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/log_follower.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_last_words_bytes = 2048;

/// A run as its records tell of it, piece by piece.
class Following {
  public:
    Following(OpenStore& store, const std::string& run, RunObserver& observer)
        : record_(run_record_from(read_run(*store.objects, run))),
          flow_(load_recorded_flow(record_)),
          observer_(observer),
          journal_(*store.files, run),
          keepers_(*store.files, run) {
        restart();
    }

    const RunRecord& record() const { return record_; }
    const std::optional<RunEndRecord>& end() const { return end_; }
    const Plan& plan() const { return data_->plan(); }

    /// Takes in what is new, and tells of it unless all that is `before` we came.
    void poll(bool before) {
        told_ = !before;
        // Starts first: what is journalled after them may be their ends, and is not read before them.
        keepers_.poll([this](const Record& record) { take_start(record); });
        journal_.poll([this] { restart(); },
                      [this](const Record& record, bool fresh) { take(record, fresh && told_); });
        for (auto& [task, start] : std::exchange(starts_, {})) {
            tell_start(task, start, told_);
        }
        if (!before) {
            observer_.progress(data_->plan());
        }
    }

    void tell_where_it_is() {
        const Plan& plan = data_->plan();
        observer_.run_attached(record_.run, plan);
        for (const auto& [task, result] : std::exchange(failures_, {})) {
            if (plan.state(task) == TaskState::failed) {
                observer_.task_had_failed(result);
            }
        }
        for (TaskId task = 0; task < plan.task_count(); ++task) {
            if (const RunData::Waiting* wait = data_->waiting(task); wait != nullptr) {
                observer_.task_waits(name(plan.step(task), plan.index(task)), wait->what);
            }
        }
    }

    RunOutcome outcome() const {
        RunOutcome out = outcome_;
        out.run = record_.run;
        out.state = end_ ? end_->state : data_->plan().state();
        out.caught = data_->plan().totals()[static_cast<std::size_t>(TaskState::caught)];
        return out;
    }

  private:
    struct Start {
        std::uint32_t attempt = 1;
        Timestamp at;
    };

    void restart() {
        data_ = std::make_unique<RunData>(record_, flow_->flow, flow_->graph);
        failures_.clear();
        outcome_ = {};
        end_.reset();
    }

    void take_start(const Record& record) {
        if (record.type == "start") {
            starts_.insert_or_assign(
                TaskName::parse(get_string(record.payload, "task")),
                Start{static_cast<std::uint32_t>(get_int(record.payload, "attempt", 1)),
                      parse_time(get_string(record.payload, "at")).value_or(Timestamp{})});
        }
    }

    void tell_start(const TaskName& name, const Start& start, bool tell) {
        const StepId step = data_->graph().id(name.step);
        const TaskStarted started{step, name.index, start.attempt};
        if (step < data_->graph().nodes.size() && data_->plan().apply(started, start.at) && tell) {
            observer_.task_started(name, start.attempt, "");
        }
    }

    void take(const Record& record, bool tell) {
        if (const auto end = run_end_from(record)) {
            end_ = end;
            return;
        }
        const auto event = run_event_from(record, data_->graph());
        if (!event) {
            return;
        }
        if (const auto* ended = std::get_if<TaskEnded>(&event->event)) {
            const TaskName name{data_->graph().nodes[ended->step].name, ended->index};
            const auto start = starts_.find(name);
            if (start != starts_.end() && start->second.attempt == ended->attempt) {
                tell_start(name, start->second, tell);
                starts_.erase(start);
            }
        }
        const bool stopping = data_->plan().stopping();
        if (!data_->apply(*event)) {
            return;
        }
        if (std::holds_alternative<RunReopened>(event->event)) {
            end_.reset();
            outcome_ = {};
        }
        outcome_.timed_out =
            outcome_.timed_out || (std::holds_alternative<RunTimedOut>(event->event) && !stopping);
        note_failure(*event);
        if (tell) {
            tell_event(*event);
        } else {
            keep_failure(*event);
        }
    }

    /// As the driver counts them, for the exit code.
    void note_failure(const RunEvent& event) {
        if (outcome_.first_cause != Cause::none) {
            return;
        }
        if (std::holds_alternative<DecisionFailed>(event.event)) {
            outcome_.first_cause = Cause::user;
        } else if (const auto* ended = std::get_if<TaskEnded>(&event.event)) {
            const auto task = data_->plan().find(ended->step, ended->index);
            if (task && data_->plan().state(*task) == TaskState::failed) {
                outcome_.first_cause = ended->cause;
            }
        }
    }

    /// To be told when all that was before is known: a task that failed may have run again since.
    void keep_failure(const RunEvent& event) {
        const auto* ended = std::get_if<TaskEnded>(&event.event);
        const auto task = ended == nullptr ? std::nullopt : data_->plan().find(ended->step, ended->index);
        if (task && event.result && data_->plan().state(*task) == TaskState::failed) {
            failures_.insert_or_assign(*task, *event.result);
        }
    }

    TaskName name(StepId step, const TaskIndex& index) const {
        return {data_->graph().nodes[step].name, index};
    }

    void tell_event(const RunEvent& event) {
        if (const auto* when = std::get_if<WhenDecided>(&event.event); when && !when->open) {
            observer_.task_skipped(name(when->step, when->index));
        } else if (const auto* reused = std::get_if<TaskReused>(&event.event)) {
            observer_.task_reused(name(reused->step, reused->index), event.from);
        } else if (const auto* failed = std::get_if<DecisionFailed>(&event.event)) {
            observer_.note(task_text(name(failed->question.step, failed->question.index)) + ": " +
                           event.message);
        } else if (const auto* wait = std::get_if<WaitBegan>(&event.event)) {
            observer_.task_waits(name(wait->step, wait->index), event.message);
        } else if (std::holds_alternative<RunReopened>(event.event)) {
            observer_.note("the run goes on");
        } else if (std::holds_alternative<RunCancelled>(event.event)) {
            observer_.note("the run was cancelled");
        } else if (std::holds_alternative<RunTimedOut>(event.event)) {
            observer_.note("the run's timeout has passed");
        } else if (const auto* over = std::get_if<WaitEnded>(&event.event); over && !event.from.empty()) {
            observer_.note(task_text(name(over->step, over->index)) + ": approved by " + event.from);
        } else if (const auto* ended = std::get_if<TaskEnded>(&event.event); ended && event.result) {
            const auto task = data_->plan().find(ended->step, ended->index);
            const TaskState now = task ? data_->plan().state(*task) : TaskState::failed;
            const bool again = now == TaskState::ready && !event.result->succeeded();
            const TaskState state = again ? TaskState::retrying : now;
            observer_.task_ended(*event.result, state, task ? data_->plan().due(*task) : std::nullopt);
        }
    }

    RunRecord record_;
    std::unique_ptr<const RecordedFlow> flow_;
    RunObserver& observer_;
    JournalFollower journal_;
    KeeperFollower keepers_;
    std::unique_ptr<RunData> data_;
    std::optional<RunEndRecord> end_;
    RunOutcome outcome_;
    std::map<TaskName, Start> starts_;          ///< seen and not told yet
    std::map<TaskId, AttemptResult> failures_;  ///< from before we came, and not told yet
    bool told_ = false;
};

/// What a detached orchestrator printed last: it may say why it is gone.
std::string last_words(const OpenStore& store, const std::string& run) {
    const std::string key = layout::orchestrator_log(run);
    const std::uint64_t size = store.files->size(key);
    const std::uint64_t from = size > k_last_words_bytes ? size - k_last_words_bytes : 0;
    std::string text = store.files->read(key, from, k_last_words_bytes).value_or("");
    if (from > 0) {
        text.erase(0, std::min(text.find('\n') + 1, text.size()));
    }
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

[[noreturn]] void fail_undriven(const OpenStore& store, const std::string& run, RunObserver& observer) {
    if (const std::string words = last_words(store, run); !words.empty()) {
        observer.note("the last words of its orchestrator:\n" + words);
    }
    throw Error(ExitCode::busy, fmt::format("nobody drives run {}, and it has not ended", run), run,
                fmt::format("`amp resume {}` goes on with it", run));
}

}  // namespace

RunOutcome attach_run(Services& services, const Project& project, const std::string& reference,
                      RunObserver& observer, const std::function<bool()>& enough) {
    OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, reference);
    RunChanges changes(services, store, run);
    Following following(store, run, observer);
    Turns turns(services, store, following.record().flow_name);
    std::string behind;
    for (bool first = true;; first = false) {
        // Asked before the journal is read, so that what a driver wrote last is not missed.
        const bool driven = is_driven(*store.objects, *store.files, services.clock, run, services.host);
        const bool comes = !driven && awaits_driver(services, store, following.record());
        following.poll(first);
        if (first) {
            following.tell_where_it_is();
        }
        if (!driven && following.end()) {
            RunOutcome outcome = following.outcome();
            observer.run_ended(outcome.state, false, &following.plan());
            return outcome;
        }
        if (!driven && !comes) {
            fail_undriven(store, run, observer);
        }
        if (const std::string now = turns.behind(run).value_or(""); now != behind) {
            behind = now;
            if (!behind.empty()) {
                observer.run_waits(run, behind);
            }
        }
        const bool stop =
            services.waiter.get().interrupts() > 0 || services.waiter.get().terminating_signal() != 0;
        if (stop || (enough && enough())) {
            RunOutcome outcome = following.outcome();
            outcome.left = true;
            outcome.interrupted = stop;
            outcome.signal = services.waiter.get().terminating_signal();
            return outcome;
        }
        changes.wait(HUGE_VAL);
    }
}

}  // namespace amp
