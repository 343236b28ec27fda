#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ports/backend.hpp"
#include "core/run/given.hpp"
#include "core/run/holds.hpp"
#include "core/run/observer.hpp"
#include "core/run/result_cache.hpp"
#include "core/run/run_data.hpp"
#include "core/run/services.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/start.hpp"
#include "core/run/sub_runs.hpp"
#include "core/run/waits.hpp"
#include "core/store/journal.hpp"
#include "core/store/lease.hpp"

namespace amp {

/// The work around the plan: answer its questions, hand out what is ready, take in an event, journal it,
/// apply it, repeat. It never waits: a Conductor does, for all drivers at once. One thread. What it does may
/// end at any instant: the journal and the backend know enough for another driver to go on.
class Driver {
  public:
    struct Parts {
        Services& services;
        OpenStore& store;
        RunData& data;
        JournalWriter& journal;
        Lease& lease;
        Backend& backend;
        SubRuns& runs;
        RunObserver& observer;
        const RunData* origin = nullptr;  ///< the run whose results may be reused
        bool no_cache = false;            ///< results of other runs are not looked for
        double hold_s = 0;                ///< how long the places of failed tasks are kept; 0: they are not
    };
    explicit Driver(Parts parts);

    /// Takes over what earlier drivers left running. Call before all else, on resume.
    void adopt();
    /// What an attempt takes of this machine, by the run's definition; nullopt: it is elsewhere.
    std::optional<Resources> need_of(const AttemptId& id);
    /// Opens failed and cancelled tasks again (resume with nothing changed).
    void reopen(bool retry_caught);
    /// Does all that can be done now. The outcome once the run has ended, or a signal has interrupted it.
    std::optional<RunOutcome> advance();
    /// Until when nothing can be done unless an event comes, in seconds from now.
    double seconds_to_wait() const;
    /// Readable when receive() may find something; -1: none.
    int event_fd() { return backend_.event_fd(); }
    /// Readable when what a task waits for may have come.
    std::vector<int> wait_fds() const;
    /// Takes in the signals and events that have come.
    void receive();
    /// Ends the run as `amp cancel` does.
    void cancel(const std::string& who) { handle(CancelAsked{who}); }

  private:
    /// draining: what runs may end, nothing is started; killing: their ends are waited for, a moment.
    enum class Stop { none, draining, graceful, killing, now };
    struct InFlight {
        std::string definition;
        bool started = false;
        bool child = false;  ///< a run of its own
        bool holds = false;  ///< its place is kept when it fails
        std::string profile = {};
    };

    void open_backend();
    bool answer_questions();
    RunEvent answer(const Question& question);
    bool submit_ready();
    bool reuse(TaskId task, const std::string& definition);
    void tell_cuts(const BuiltTask& built);
    void take_given(TaskId task);
    bool reuse_cached(TaskId task, const std::string& definition);
    void record_reused(TaskId task, const std::string& definition, std::string made_by,
                       std::map<std::string, Artifact> artifacts);
    void keep_result(const AttemptResult& result, StepId step, const std::string& definition);
    void take_over_checkpoint(TaskId task, const std::string& definition);
    void forget_checkpoint(TaskId task);
    void end_wait_only(TaskId task, const std::string& definition);
    void begin_wait(const Question& question);
    void fail_decision(const Question& question, Cause cause, const std::string& why);
    void fail_before_start(TaskId task, Cause cause, const std::string& message);
    void check_inputs(const TaskSpec& spec) const;
    void send_cancels();
    void handle(const AttemptQueued& event);
    void handle(const AttemptStarted& event);
    void handle(const AttemptEnded& event);
    void handle(const CancelAsked& event);
    void handle(const BackendLost& event);
    void handle(const BackendNote& event);
    void handle(const SpawnAsked& event);
    std::string definition_of(const AttemptResult& result);
    void take_adopted_end(const AttemptResult& result);
    bool end_again(TaskId task, const std::string& definition);
    /// False: the plan has no use for it.
    bool end_attempt(const AttemptResult& result, std::string definition);
    AttemptId attempt_id(TaskId task) const;
    std::vector<AttemptId> attempts_in_flight() const;
    AttemptResult failed_result(const AttemptId& id, Cause cause, const std::string& message) const;
    void watch_signals();
    void end_gracefully();
    void kill_all();
    void leave_killed();
    void watch_time();
    void watch_waits();
    void keep_place(const AttemptResult& result, TaskState state, const InFlight& flight);
    void watch_holds();
    void end_holds();
    void send_freed();
    bool interrupts_holds();
    void watch_room();
    void record(RunEvent event);
    void settle();
    void flush_journal();
    void check_progress() const;
    RunOutcome finish();
    RunOutcome interrupted_outcome();
    Timestamp now() const { return services_.clock.now(); }

    Services& services_;
    OpenStore& store_;
    RunData& data_;
    JournalWriter& journal_;
    Lease& lease_;
    Backend& backend_;
    SubRuns& runs_;
    RunObserver& observer_;
    const RunData* origin_;
    Given given_;
    ArtifactLoader load_;
    SpecBuilder builder_;
    std::unique_ptr<SpecBuilder> origin_builder_;  ///< once it is needed
    ResultCache results_;
    Waits waits_;
    Holds holds_;
    double hold_s_;
    std::vector<AttemptId>
        freed_;  ///< whose places are kept no longer, which their backend does not know yet

    std::unordered_map<TaskId, InFlight> in_flight_;
    std::set<std::string> told_cuts_;  ///< of requests, each told once
    /// Ends that earlier drivers left, of tasks that were not due when they were adopted: the journal does
    /// not know (any more) why they were handed out. Their backend does not do them again.
    std::map<AttemptId, AttemptResult> ended_before_;
    std::vector<std::function<void()>> news_;  ///< for the observer, once the journal has been written
    bool backend_open_ = false;
    int losses_ = 0;      ///< of the backend, since a task started or ended
    double open_at_ = 0;  ///< steady seconds: not opened again before
    bool failures_seen_ = false;
    bool reopened_ = false;
    bool outputs_lost_ = false;  ///< of an attempt that had ended under an earlier driver
    Stop stop_ = Stop::none;
    bool cancelled_ = false;
    bool timed_out_ = false;
    bool results_kept_ = false;     ///< there is something to sync
    bool objects_made_ = false;     ///< which what is to be flushed names: they are synced before
    bool results_refused_ = false;  ///< the user was told
    bool no_cache_;
    double started_at_ = 0;  ///< steady seconds
    double leaves_at_ = 0;   ///< once killing: not waited for longer
    std::optional<double> cleanup_since_;
    Cause first_cause_ = Cause::none;
    std::string first_failure_;  ///< "train/3: exit 1"
    int first_exit_ = 0;
};

}  // namespace amp
