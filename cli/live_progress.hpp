#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/live_frame.hpp"
#include "cli/live_pace.hpp"
#include "cli/live_screen.hpp"
#include "cli/live_terminal.hpp"
#include "cli/progress.hpp"
#include "core/run/metrics.hpp"

namespace amp {

/// A run told on a terminal: a region at its bottom says how far it is, and only what people should read
/// (failures, retries, notes, questions) goes by above it. In a notebook the region is one line.
class LiveProgress : public PlainProgress {
  public:
    /// What running attempts told so far; asked seldom. @param run its id
    using Told = std::function<std::map<AttemptKey, std::shared_ptr<const TaskReport>>(
        const std::string& run, const std::set<AttemptKey>& attempts)>;
    struct View {
        bool single_line = false;
        bool unicode = false;
    };
    LiveProgress(Output& out, Clock& clock, LogTail tail, Settings settings, View view,
                 std::unique_ptr<LiveTerminal> terminal, Told told);
    ~LiveProgress() override;
    LiveProgress(const LiveProgress&) = delete;
    LiveProgress& operator=(const LiveProgress&) = delete;

    void run_attached(const std::string& run, const Plan& plan) override;
    void run_started(const std::string& run, bool resumed) override;
    void task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) override;
    void task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) override;
    void task_waits(const TaskName& task, const std::string& what) override;
    void progress(const Plan& plan) override;
    void run_ended(RunState state, bool interrupted, const Plan* plan) override;
    double patience_s() override;

  protected:
    void spare_line(const std::string& /*text*/) override {}

  private:
    struct Running {
        double since = -1;  ///< below 0: unknown
        std::uint32_t attempt = 1;
        std::string where;
        std::shared_ptr<const TaskReport> report = {};
    };
    struct Waiting {
        double since = 0;
        std::string what;
    };
    struct Step {
        Pace pace;
        double began = -1;
        double ended = -1;
    };

    /// Of the time that a step's tasks take, how much is behind those that run.
    using SpentByStep = std::map<std::string_view, double>;
    using RunningTask = std::pair<const TaskName, Running>;

    /// What others may have written since is not drawn over.
    void forget_if_foreign();
    /// Lines above the region: at once, or with the next frame where the last one was just drawn.
    std::string pass(std::string_view text);
    /// All that waits for a frame, and the region is gone.
    std::string clear();
    void draw(const Plan& plan, double now);
    RunProgress snapshot(const Plan& plan, double now);
    StepProgress step_progress(const Plan& plan, StepId step, double now, double spent_s) const;
    double total_left_s(const Plan& plan, const SpentByStep& spent, std::uint64_t running) const;
    SpentByStep spent_by_step(double now) const;
    /// They stay where they are, and are the ones that are asked how far they are.
    std::vector<const RunningTask*> longest_running() const;
    void add_running(RunProgress& out, double now) const;
    void add_waiting(RunProgress& out, const Plan& plan, double now);
    void ask_tasks(double now);
    Step& step_of(const std::string& name) { return steps_[name]; }

    View view_;
    std::unique_ptr<LiveTerminal> terminal_;
    Told told_;
    LiveScreen screen_;
    std::string pending_;  ///< lines that wait for the next frame
    FrameWidths widths_;
    std::map<TaskName, Running> running_;
    std::map<TaskName, Waiting> waiting_;  ///< for people, the world, or their next attempts
    std::map<std::string, Step, std::less<>> steps_;
    Pace pace_;
    bool changed_ = true;
    double next_frame_;
    double next_second_;
    double next_question_;
};

}  // namespace amp
