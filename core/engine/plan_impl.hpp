#pragma once

#include <deque>
#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/engine/frames.hpp"
#include "core/engine/plan.hpp"
#include "core/engine/ready_queue.hpp"

namespace amp {

/// The plan itself, in files by theme: decisions.cpp (what becomes of a task whose needs have ended),
/// joins.cpp (how an end reaches those who wait for it), attempts.cpp (start, end, retry, repeat),
/// stopping.cpp, reopening.cpp, queries.cpp.
///
/// Nothing here recurses along the graph: finish() puts a task on a list, and drain() tells those who wait.
class Plan::Impl {
  public:
    Impl(const Graph& graph, PlanOptions options);

    // Events.
    bool on(const EdgesDecided& event, Timestamp at);
    bool on(const WhenDecided& event, Timestamp at);
    bool on(const ItemsDecided& event, Timestamp at);
    bool on(const UntilDecided& event, Timestamp at);
    bool on(const WaitBegan& event, Timestamp at);
    bool on(const WaitEnded& event, Timestamp at);
    bool on(const DecisionFailed& event, Timestamp at);
    bool on(const TaskStarted& event, Timestamp at);
    bool on(const TaskEnded& event, Timestamp at);
    bool on(const TaskReused& event, Timestamp at);
    bool on(const TaskReturned& event, Timestamp at);
    bool on(const RunCancelled& event, Timestamp at);
    bool on(const RunTimedOut& event, Timestamp at);
    bool on(const RunReopened& event, Timestamp at);
    /// Tells everybody who waits for what has ended.
    void drain();
    void note_event() { begun_ = true; }

    void advance(Timestamp now);
    std::optional<Timestamp> next_due();
    std::optional<Timestamp> due(TaskId task);
    std::vector<Question> take_questions(std::size_t max);
    std::vector<TaskId> take_ready(std::size_t max);
    std::vector<TaskId> take_cancels();

    RunState state() const;
    bool stopping() const { return stop_ != Stop::none; }
    bool cleaning_up() const { return stopping() && active_ordinary_ == 0 && open_ > 0; }
    const Counts& counts(StepId step) const { return counts_[step]; }
    const Counts& totals() const { return totals_; }
    const Graph& graph() const { return graph_; }
    std::optional<std::uint32_t> item_count(StepId step, const TaskIndex& around);
    bool has_failed(StepId step, const TaskIndex& index, std::optional<StepId> of);
    TaskIndex index(TaskId task);
    std::uint32_t next_attempt(TaskId task);
    engine::Frames& frames() { return frames_; }
    StepId step_of(TaskId task) const { return frames_.slot(frames_.spot(task)).step; }

  private:
    using Cell = engine::Cell;
    using Stage = engine::Stage;
    using Spot = engine::Spot;
    enum class Stop { none, failed, cancelled, timed_out };
    enum class Verdict { open, done, skipped, failed, cancelled };
    /// What the needs of a task, all ended, say together.
    struct Needs {
        bool failed = false;
        bool cancelled = false;
        bool all_skipped = true;
        bool conditional = false;  ///< one with a condition is not skipped
    };

    // Decisions.
    void settle(TaskId task);
    bool settle_needs(TaskId task, Spot spot, const Graph::Node& node);
    void ask(TaskId task, Stage stage);
    /// Ends a task that never ran; of a gated foreach (one that was expanded before the run was reopened) all
    /// its items.
    void conclude(TaskId task, TaskState state);
    void expand(TaskId head, std::uint32_t count);
    void open_items(TaskId head);
    void add_counts(std::uint32_t frame);
    void init_pending(std::uint32_t frame);
    void become_ready(TaskId task);
    /// The cell that waits for an answer of this kind; nullopt: none.
    std::optional<TaskId> asked(StepId step, const TaskIndex& index, Stage stage);
    static Stage stage_of(Question::Kind kind);

    // Joins.
    void set_state(TaskId task, TaskState state);
    void set_state_below(StepId foreach, TaskState from, TaskState to);
    void finish(TaskId task, TaskState state);
    void tell_others(TaskId task);
    void notify(TaskId task);
    void close_place(StepId step, std::uint32_t frame, engine::Block place);
    void close_block(StepId step, std::uint32_t frame);
    Verdict verdict(const Graph::Edge& edge, std::uint32_t frame, std::uint32_t place);
    Needs review(Spot spot, const Graph::Node& node);
    template <class Tell>
    void for_each_waiting(StepId step, std::uint32_t frame, std::uint32_t place, Tell tell);

    // Attempts.
    std::optional<TaskId> find_attempt(StepId step, const TaskIndex& index);
    bool take_up(TaskId task, std::uint32_t attempt);
    void end_failed(TaskId task, const TaskEnded& event, Timestamp at);
    void end_cancelled(TaskId task);
    void fail(TaskId task, Cause cause);
    void round_succeeded(TaskId task);
    void after_round(TaskId task, bool done);

    // Stopping.
    bool stopped_for(const Graph::Node& node) const { return stopping() && (hard_ || !node.cleanup); }
    void stop(Stop reason);
    void sweep();
    void sweep_cell(TaskId task, const Graph::Node& node);
    void give_cancel(TaskId task);
    void revive(TaskId task);
    /// A task that had ended so, and is open again.
    struct Reopened {
        TaskId task = 0;
        TaskState ended = TaskState::cancelled;
    };
    void take_back(Reopened task, std::vector<Reopened>& again);
    void take_back_place(StepId step, std::uint32_t frame, engine::Block place, std::vector<Reopened>& again);
    void wait_again(TaskId task, std::vector<Reopened>& again);

    // Reopening.
    void reset(TaskId task, const engine::Shape::Slot& slot, bool retry_caught);
    void reset_cell(TaskId task);
    void recount_blocks();
    void recount_block(StepId step, std::uint32_t frame);
    void recount_pending();

    bool any_failed(StepId step, StepId asker, std::span<const std::uint32_t> path);
    bool any_failed_below(StepId step, std::uint32_t frame, std::uint32_t place);
    template <class Visit>
    void for_each_cell(Visit visit);

    const Graph::Node& node(StepId step) const { return graph_.nodes[step]; }
    Cell& cell(TaskId task) { return frames_.cell(task); }

    struct Due {
        std::int64_t ms = 0;
        TaskId task = 0;
        std::uint32_t attempt = 0;  ///< the failed one: tells stale entries
        std::uint32_t round = 0;
        auto operator<=>(const Due&) const = default;
    };
    bool is_stale(const Due& due);
    void drop_next_delay();

    const Graph& graph_;
    PlanOptions options_;
    engine::Shape shape_;
    engine::Frames frames_;
    engine::ReadyQueue ready_;
    std::deque<TaskId> questions_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> delays_;
    std::unordered_map<TaskId, Due> delay_of_;  ///< of each task in delays_ the last
    std::vector<TaskId> cancels_;
    std::vector<TaskId> ended_;  ///< whose end was not told yet

    std::vector<Counts> counts_;
    Counts totals_{};
    std::uint64_t open_ = 0;             ///< cells that have not ended
    std::uint64_t open_before_end_ = 0;  ///< those which at_end steps wait for
    std::uint64_t active_ordinary_ = 0;  ///< queued or running, and no clean-up
    bool end_released_ = false;          ///< at_end steps were told
    bool begun_ = false;
    Stop stop_ = Stop::none;
    bool hard_ = false;  ///< the clean-up's time is over too
};

template <class Visit>
void Plan::Impl::for_each_cell(Visit visit) {
    for (std::uint32_t f = 0; f < frames_.frame_count(); ++f) {
        const auto& slots = frames_.level(f).slots;
        const std::uint32_t count = frames_.frame(f).count;
        TaskId task = frames_.frame(f).base;
        for (const auto& slot : slots) {
            for (std::uint32_t i = 0; i < count; ++i, ++task) {
                visit(task, slot);
            }
        }
    }
}

}  // namespace amp
