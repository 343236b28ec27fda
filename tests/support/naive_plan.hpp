#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/plan.hpp"

namespace amp::test {

/// The meaning of a flow, a second time and as plainly as possible: tasks in a map, no counters, and after
/// every event all tasks are looked at until nothing changes. To hold Plan against; for small graphs.
class NaivePlan {
  public:
    using Path = std::vector<std::uint32_t>;
    /// A task; or with a path one shorter than the stack, a foreach that is not expanded.
    using Key = std::pair<StepId, Path>;

    struct Task {
        TaskState state = TaskState::waiting;
        std::optional<Question::Kind> question;
        Cause cause = Cause::none;
        std::optional<bool> edges_shut;
        std::optional<bool> when;
        bool round_done = false;
        bool reused = false;
        bool cancel_given = false;
        bool survivor = false;
        bool shut = false;
        bool unstarted = false;
        std::uint32_t attempt = 0;
        std::uint32_t retries = 0;
        std::uint32_t other_retries = 0;
        std::uint32_t ooms = 0;
        std::uint32_t round = 0;
        std::uint64_t ready_since = 0;
        Timestamp due;
    };

    NaivePlan(const Graph& graph, PlanOptions options);

    bool apply(const PlanEvent& event, Timestamp at);
    void advance(Timestamp now);
    /// The plan gave this task out.
    void took(const Key& key);

    const std::map<Key, Task>& tasks() const { return tasks_; }
    std::vector<Question> questions() const;
    /// Tasks that must be ended, of those given since the last call.
    std::set<Key> take_cancels();
    std::optional<Timestamp> next_due() const;
    RunState state() const;
    bool stopping() const { return stop_ != Stop::none; }
    bool cleaning_up() const;
    std::vector<Plan::Counts> counts() const;
    std::optional<std::uint32_t> item_count(const Key& head) const;
    bool has_failed(StepId step, const Path& path, std::optional<StepId> of) const;
    bool has_room(StepId step) const;

  private:
    enum class Stop { none, failed, cancelled, timed_out };
    enum class Status { open, done, skipped, failed, cancelled };

    bool on(const EdgesDecided& e, Timestamp at);
    bool on(const WhenDecided& e, Timestamp at);
    bool on(const ItemsDecided& e, Timestamp at);
    bool on(const UntilDecided& e, Timestamp at);
    // No graph that it is tried with has steps that wait.
    static bool on(const WaitBegan&, Timestamp) { return false; }
    static bool on(const WaitEnded&, Timestamp) { return false; }
    bool on(const DecisionFailed& e, Timestamp at);
    bool on(const TaskStarted& e, Timestamp at);
    bool on(const TaskEnded& e, Timestamp at);
    bool on(const TaskReused& e, Timestamp at);
    bool on(const TaskReturned& e, Timestamp at);
    bool on(const RunCancelled& e, Timestamp at);
    bool on(const RunTimedOut& e, Timestamp at);
    bool on(const RunReopened& e, Timestamp at);

    const Graph::Node& node(StepId step) const { return graph_.nodes[step]; }
    bool is_head(const Key& key) const {
        return node(key.first).foreach && key.second.size() < node(key.first).stack.size();
    }
    bool after_end(StepId step) const;
    bool held_back(StepId step) const { return stopping() && (hard_ || !node(step).cleanup); }
    void add_tasks(StepId innermost, bool root, const Path& around, std::uint32_t count);

    Status status_of(TaskState state) const;
    Status status(const Graph::Edge& edge, const Path& path) const;
    bool needs_ended(const Key& key) const;
    void derive();
    bool consider(const Key& key, Task& task);
    bool consider_needs(const Key& key, Task& task, bool& decided);
    bool consider_gate(const Key& head, Task& task);
    bool is_gated(const Key& head) const;
    void conclude(const Key& key, TaskState state);
    void sweep();
    void stop(Stop reason);
    void make_ready(Task& task);

    Task* asked(StepId step, const TaskIndex& index, Question::Kind kind);
    Task* find_attempt(StepId step, const TaskIndex& index);
    bool take_up(Task& task, std::uint32_t attempt);
    void fail(const Key& key, Task& task, Cause cause);
    void round_succeeded(StepId step, Task& task);
    void after_round(StepId step, Task& task, bool done);
    bool in_branch(const Key& key, StepId of, StepId asker, const Path& path) const;

    const Graph& graph_;
    PlanOptions options_;
    std::map<Key, Task> tasks_;
    std::map<Key, std::uint32_t> items_;
    /// Expanded clean-up foreaches; waiting: their items wait for the new end.
    std::map<Key, Task> gates_;
    Stop stop_ = Stop::none;
    bool hard_ = false;
    bool begun_ = false;
    std::uint64_t clock_ = 0;
};

}  // namespace amp::test
