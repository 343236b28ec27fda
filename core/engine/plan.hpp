#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/flow/graph.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// A task of a plan. Numbers are given when its foreach is expanded, and mean nothing outside this plan.
using TaskId = std::uint32_t;

enum class TaskState : std::uint8_t {
    waiting,  ///< for what it needs, or for a decision
    ready,    ///< could start
    queued,   ///< handed to a backend
    running,
    retrying,  ///< waits for its back-off
    succeeded,
    failed,
    caught,
    skipped,
    cached,
    blocked,  ///< something before it failed
    cancelled,
};
inline constexpr std::size_t k_task_states = 12;
std::string_view state_name(TaskState state);
bool is_terminal(TaskState state);

enum class RunState : std::uint8_t { pending, running, succeeded, failed, cancelled };
std::string_view state_name(RunState state);

/// What the plan cannot know by itself, because it holds no values. Asked once each; answered by the event of
/// the same name.
struct Question {
    enum class Kind : std::uint8_t {
        edges,  ///< the conditions on the edges → EdgesDecided
        when,   ///< `when` of the step → WhenDecided
        items,  ///< how many items has the foreach → ItemsDecided
        until,  ///< is the repetition over, after the succeeded round in `index` → UntilDecided
        wait,   ///< has come what the task waits for (people, the world) → WaitEnded, in due time
    };
    Kind kind = Kind::when;
    StepId step = 0;
    /// Of the task; for edges, items and the `when` of a foreach as a whole: the path around the foreach.
    TaskIndex index;
    bool operator==(const Question&) const = default;
};

// Events: everything that changes a plan. A journal is a sequence of them (with values beside them, which the
// plan ignores); replaying it into a new plan gives the same plan.

struct EdgesDecided {
    StepId step = 0;
    TaskIndex index;
    std::vector<bool> open;  ///< by need, in order; true for unconditional ones
};
struct WhenDecided {
    StepId step = 0;
    TaskIndex index;
    bool open = true;
};
struct ItemsDecided {
    StepId step = 0;
    TaskIndex index;
    std::uint32_t count = 0;
};
struct UntilDecided {
    StepId step = 0;
    TaskIndex index;  ///< with its round
    bool done = true;
};
/// The task began to wait for people or the world; changes nothing, but is what a journal tells since when.
struct WaitBegan {
    StepId step = 0;
    TaskIndex index;
};
struct WaitEnded {
    StepId step = 0;
    TaskIndex index;
};
/// The expression failed, or the wait was in vain: what was asked about becomes failed (caught where the step
/// catches).
struct DecisionFailed {
    Question question;
    Cause cause = Cause::user;
};
struct TaskStarted {
    StepId step = 0;
    TaskIndex index;
    std::uint32_t attempt = 1;
};
struct TaskEnded {
    StepId step = 0;
    TaskIndex index;
    std::uint32_t attempt = 1;
    Cause cause = Cause::none;
    bool never_retry = false;  ///< exit 202
};
/// An equal definition had succeeded before: the task takes over its result.
struct TaskReused {
    StepId step = 0;
    TaskIndex index;
};
/// A task that was handed out by take_ready came back without having started (its backend was lost).
struct TaskReturned {
    StepId step = 0;
    TaskIndex index;
};
/// Somebody cancels the run: running tasks are ended, then clean-up steps run.
struct RunCancelled {};
/// The run's `timeout` has passed (or, during the clean-up, `cleanup_timeout`).
struct RunTimedOut {};
/// Resume with nothing changed: failed, cancelled, blocked and lost tasks are open again, with fresh budgets;
/// attempts go on counting. Clean-up steps run again at the new end. Decisions stand. `retry_caught`: caught
/// ones too.
struct RunReopened {
    bool retry_caught = false;
};

using PlanEvent =
    std::variant<EdgesDecided, WhenDecided, ItemsDecided, UntilDecided, WaitBegan, WaitEnded, DecisionFailed,
                 TaskStarted, TaskEnded, TaskReused, TaskReturned, RunCancelled, RunTimedOut, RunReopened>;

struct PlanOptions {
    bool keep_going = false;
    std::uint64_t jitter_seed = 0;  ///< so that back-offs are the same after a replay
};

/// The state of a run, pure: no values, no input or output, no clock. Shapes and rules: flow-format.md,
/// section 2.
///
/// The loop around it: answer take_questions(), start take_ready(), end take_cancels(), wait for an event,
/// apply() it. A million tasks take some tens of bytes each; apply() costs amortised constant time a task
/// (joins count, never scan). An event that does not fit the plan (unknown task, ended attempt) is ignored:
/// apply returns false.
class Plan {
  public:
    Plan(const Graph& graph, PlanOptions options);
    ~Plan();
    Plan(Plan&&) noexcept;

    bool apply(const PlanEvent& event, Timestamp at);
    /// Back-offs that are over at `now` become ready.
    void advance(Timestamp now);
    /// When the next back-off is over; nullopt: none waits.
    std::optional<Timestamp> next_due() const;
    /// When this task's own back-off is over; nullopt: it waits for none.
    std::optional<Timestamp> due(TaskId task) const;

    /// Up to `max` questions that were not taken yet.
    std::vector<Question> take_questions(std::size_t max);
    /// Up to `max` ready tasks, which become queued: by priority, then by the order in which they became
    /// ready; within `limit`.
    std::vector<TaskId> take_ready(std::size_t max);
    /// Tasks queued or running that must be ended now. Each is given once; TaskEnded (cause cancelled, or its
    /// true end) is expected.
    std::vector<TaskId> take_cancels();

    const Graph& graph() const;  ///< that it was made for

    RunState state() const;
    /// Nothing is left to do, clean-up included.
    bool ended() const { return state() != RunState::pending && state() != RunState::running; }
    /// Has a failure, cancel or timeout stopped the start of ordinary tasks?
    bool stopping() const;
    /// True while only clean-up is left after a failure, cancel or timeout (cleanup_timeout runs from then).
    bool cleaning_up() const;

    /// Tasks are numbered from 0 to here. A foreach has a number as a whole too, at the path around it.
    std::size_t task_count() const;
    /// False for the number of a foreach that was expanded: it stands for no task any more.
    bool is_task(TaskId task) const;
    StepId step(TaskId task) const;
    TaskIndex index(TaskId task) const;  ///< with its current round, if the step repeats
    TaskState state(TaskId task) const;
    std::uint32_t attempt(
        TaskId task) const;  ///< of the current or last; in state ready or retrying: the next
    std::uint32_t oom_count(TaskId task) const;  ///< attempts of this opening that ended with oom, for `grow`
    Cause cause(TaskId task) const;              ///< of the last failure
    /// The task of a step at an index (its round is ignored); nullopt when there is none (yet).
    std::optional<TaskId> find(StepId step, const TaskIndex& index) const;
    /// The number of items of a foreach at the path around it; nullopt while undecided (or skipped, blocked).
    std::optional<std::uint32_t> item_count(StepId step, const TaskIndex& around) const;

    /// Tasks of a step by state. A foreach that was skipped, blocked or failed as a whole counts as one task.
    using Counts = std::array<std::uint64_t, k_task_states>;
    const Counts& counts(StepId step) const;
    Counts totals() const;

    /// failed() in a clean-up step's `when`: a direct need, or an ancestor of it in the same branch, failed
    /// or is blocked. Without needs: any step. With `of`: that step, in the same branch.
    bool has_failed(StepId step, const TaskIndex& index, std::optional<StepId> of) const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp
