#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ports/backend.hpp"
#include "core/run/observer.hpp"
#include "core/run/run_data.hpp"
#include "core/run/services.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/start.hpp"
#include "core/store/journal.hpp"
#include "core/store/lease.hpp"

namespace amp {

/// The loop around the plan: answer its questions, hand out what is ready, wait for an event, journal it,
/// apply it, repeat. One thread. What it does may end at any instant: the journal and the backend know enough
/// for another driver to go on.
class Driver {
  public:
    struct Parts {
        Services& services;
        OpenStore& store;
        RunData& data;
        JournalWriter& journal;
        Lease& lease;
        Backend& backend;
        RunObserver& observer;
        const RunData* origin = nullptr;  ///< the run whose results may be reused
    };
    explicit Driver(Parts parts);

    /// Takes over what earlier drivers left running. Call before drive, on resume.
    void adopt();
    /// Opens failed and cancelled tasks again (resume with nothing changed).
    void reopen(bool retry_caught);
    /// Drives to the end of the run, or until a signal interrupts it.
    RunOutcome drive();

  private:
    enum class Stop { none, graceful, now };
    struct InFlight {
        std::string definition;
        bool started = false;
    };

    bool answer_questions();
    RunEvent answer(const Question& question);
    bool edge_open(const Question& question, std::size_t need, const RunScope& scope) const;
    bool submit_ready();
    bool reuse(TaskId task, const std::string& definition);
    bool needs_reused(StepId step, const TaskIndex& index) const;
    void fail_before_start(TaskId task, const std::string& message);
    void send_cancels();
    void receive();
    void handle(const AttemptQueued& event);
    void handle(const AttemptStarted& event);
    void handle(const AttemptEnded& event);
    void handle(const CancelAsked& event);
    void handle(const BackendLost& event);
    std::string definition_of(const AttemptResult& result);
    void take_adopted_end(const AttemptResult& result);
    bool end_again(TaskId task, const std::string& definition);
    /// False: the plan has no use for it.
    bool end_attempt(const AttemptResult& result, std::string definition);
    AttemptId attempt_id(TaskId task) const;
    std::vector<AttemptId> attempts_in_flight() const;
    AttemptResult failed_result(const AttemptId& id, Cause cause, const std::string& message) const;
    void watch_signals();
    void watch_time();
    double seconds_to_wait() const;
    void record(RunEvent event);
    void settle();
    void check_progress() const;
    Value failures() const;
    std::string log_tail(const AttemptResult& result) const;
    RunOutcome finish();
    RunOutcome interrupted_outcome();
    Timestamp now() const { return services_.clock.now(); }

    Services& services_;
    OpenStore& store_;
    RunData& data_;
    JournalWriter& journal_;
    Lease& lease_;
    Backend& backend_;
    RunObserver& observer_;
    const RunData* origin_;
    ArtifactLoader load_;
    SpecBuilder builder_;

    std::unordered_map<TaskId, InFlight> in_flight_;
    /// Ends that earlier drivers left, of tasks that were not due when they were adopted: the journal does
    /// not know (any more) why they were handed out. Their backend does not do them again.
    std::map<AttemptId, AttemptResult> ended_before_;
    std::vector<std::function<void()>> news_;  ///< for the observer, once the journal has been written
    bool failures_seen_ = false;
    Stop stop_ = Stop::none;
    bool cancelled_ = false;
    bool timed_out_ = false;
    double started_at_ = 0;  ///< steady seconds
    std::optional<double> cleanup_since_;
    Cause first_cause_ = Cause::none;
};

}  // namespace amp
