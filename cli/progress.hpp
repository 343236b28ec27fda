#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/output.hpp"
#include "core/ports/clock.hpp"
#include "core/run/observer.hpp"

namespace amp {

/// The last lines that an attempt printed; empty when there is none.
using LogTail = std::function<std::string(const AttemptResult&)>;

/// A run told in lines on standard error, each with the time; the run's id alone on standard output, first.
/// Starts and ends are told one by one while they are few; when they come fast only failures are, and a line
/// every `interval_s` says how far it is.
class PlainProgress : public RunObserver {
  public:
    struct Settings {
        bool quiet = false;     ///< nothing but the id, and failures
        bool print_id = true;   ///< --json prints a document instead
        double interval_s = 5;  ///< between two lines that say how far it is
    };
    PlainProgress(Output& out, Clock& clock, LogTail tail, Settings settings);

    void run_started(const std::string& run, bool resumed) override;
    void note(const std::string& text) override;
    void task_queued(const TaskName& task, const std::string& reason) override;
    void task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) override;
    void task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) override;
    void task_skipped(const TaskName& task) override;
    void task_reused(const TaskName& task) override;
    void progress(const Plan& plan) override;
    void run_ended(RunState state, bool interrupted) override;

  private:
    void line(const std::string& text);
    /// A line that may be left out when lines come faster than people read.
    void spare_line(const std::string& text);
    void failure(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at);

    Output& out_;
    Clock& clock_;
    LogTail tail_;
    Settings settings_;
    std::string run_;
    double budget_;         ///< spare lines that may be printed now
    double budget_at_;      ///< when it was counted last
    bool flooded_ = false;  ///< spare lines are left out
    double next_progress_;
    std::uint64_t left_out_ = 0;
    std::uint64_t left_out_before_ = 0;  ///< at the last line that said how far it is
    std::uint64_t tails_told_ = 0;
    std::uint64_t ended_ = 0;  ///< tasks that ended since `ended_at_`
    double ended_at_;
};

/// "1,234 of 10,000 tasks done, 2 running, 1 failed".
std::string progress_text(const Plan::Counts& totals);

}  // namespace amp
