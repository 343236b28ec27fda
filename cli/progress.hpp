#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/failure_text.hpp"
#include "cli/output.hpp"
#include "core/ports/clock.hpp"
#include "core/run/observer.hpp"

namespace amp {

/// A run told in lines on standard error, each with the time; the run's id alone on standard output, first.
/// Starts and ends are told one by one while they are few; when they come fast only failures are, and steps
/// that are done, and a line every `interval_s` says how far it is.
class PlainProgress : public RunObserver {
  public:
    /// How a log can be folded away by who shows our lines.
    enum class Folds { none, github, gitlab };
    struct Settings {
        bool quiet = false;       ///< nothing but the id, and failures
        bool print_id = true;     ///< --json prints a document instead
        double interval_s = 5;    ///< between two lines that say how far it is
        double heartbeat_s = 30;  ///< of silence, then a line says that it is alive
        Folds folds = Folds::none;
        std::string host = {};  ///< ours: that tasks run here need not be told
        /// Of a task that is a run of its own: the task that failed in it, RUN/STEP/INDEX; else empty.
        std::function<std::string(const std::string& run, const TaskName& task)> failed_below = {};
    };
    PlainProgress(Output& out, Clock& clock, LogTail tail, Settings settings);

    void run_waits(const std::string& run, const std::string& behind) override;
    void run_attached(const std::string& run, const Plan& plan) override;
    void run_started(const std::string& run, bool resumed) override;
    void note(const std::string& text) override;
    void task_queued(const TaskName& task, const std::string& reason) override;
    void task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) override;
    void task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) override;
    void task_had_failed(const AttemptResult& result) override;
    void task_skipped(const TaskName& task) override;
    void task_reused(const TaskName& task, const std::string& made_by) override;
    void task_waits(const TaskName& task, const std::string& what) override;
    void progress(const Plan& plan) override;
    void run_ended(RunState state, bool interrupted, const Plan* plan) override;
    /// Seconds until progress() should be called at the latest.
    virtual double patience_s();

  protected:
    /// A line that may be left out when lines come faster than people read.
    virtual void spare_line(const std::string& text);
    const std::string& run() const { return run_; }
    Output& out() { return out_; }
    double steady() { return clock_.steady_seconds(); }
    double began() const { return began_; }  ///< below 0: before we came
    const Settings& settings() const { return settings_; }

  private:
    struct Failure {
        std::string task;
        std::string why;
    };

    void line(const std::string& text);
    /// Without the time: belongs to the line before it.
    void more(const std::string& text) { out_.say("    " + text); }
    /// The id, once, before all else.
    void name_run(const std::string& run);
    void failure(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at);
    std::string failure_commands(const AttemptResult& result);
    std::string tail_text(const AttemptResult& result, std::size_t most);
    void tell_steps(const Plan& plan);
    void tell_failures(std::uint64_t failed);

    Output& out_;
    Clock& clock_;
    LogTail tail_;
    Settings settings_;
    std::string run_;
    double began_ = -1;
    double budget_;         ///< spare lines that may be printed now
    double budget_at_;      ///< when it was counted last
    bool flooded_ = false;  ///< spare lines are left out
    double next_progress_;
    double said_at_;                ///< when something was printed last
    std::size_t answers_told_ = 0;  ///< on how to approve
    std::uint64_t left_out_ = 0;
    std::uint64_t left_out_before_ = 0;  ///< at the last line that said how far it is
    std::uint64_t tails_told_ = 0;
    std::uint64_t told_before_ = 0;  ///< failures from before we came
    std::uint64_t ended_ = 0;        ///< tasks that ended since `ended_at_`
    double ended_at_;
    std::vector<Failure> failures_;           ///< the first ones
    std::map<TaskName, std::string> places_;  ///< of those that run elsewhere
    std::set<std::string> touched_;           ///< steps of which a task ended since progress() was called
    std::set<StepId> steps_told_;             ///< that they are done
};

/// Tasks in states that are final.
std::uint64_t count_done(const Plan::Counts& counts);
/// "1,234 of 10,000 tasks done, 2 running, 1 failed".
std::string progress_text(const Plan::Counts& totals);

}  // namespace amp
