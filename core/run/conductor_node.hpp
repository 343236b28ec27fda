#pragma once

#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/run/child_runs.hpp"
#include "core/run/conductor.hpp"
#include "core/run/driven_run.hpp"

namespace amp {

/// A run of the tree, and how it hangs together with its parent.
class Conductor::Node : public SubRuns {
  public:
    enum class Kind { root, task, spawned };
    struct Waiting {
        TaskSpec spec;
        ChildFlow child;
    };
    struct Asker {
        Node* node = nullptr;
        std::uint64_t ticket = 0;
        AttemptId attempt;
    };

    Node(Conductor& tree, Kind of_kind, Node* above, RunObserver& to)
        : kind(of_kind), parent(above), observer(to), tree_(tree) {}

    void start(const TaskSpec& spec, const ChildFlow& child) override;
    void spawn(const SpawnAsked& asked) override;
    void end_child(const AttemptId& child);

    void open(const std::string& id, const DriveOptions& options, std::unique_ptr<const RecordedFlow> flow);
    void start_waiting();
    void watch_deadline();
    void cancel(const std::string& who);
    void resume_spawned();
    double seconds_to_wait() const;
    /// Its parent hears how it ended.
    void report();
    void fail(const Error& error);

    Kind kind;
    Node* parent;
    RunObserver& observer;
    std::unique_ptr<RunObserver> own_observer;
    std::unique_ptr<DrivenRun> run;
    std::string id;
    std::size_t children = 0;  ///< that are being driven, spawned ones too
    bool dirty = true;         ///< there may be something to do
    bool awake = false;        ///< something may have come

    // Of a task of its parent.
    AttemptId attempt;
    std::vector<TaskOutput> outputs;
    Timestamp started;
    double timeout_s = 0;
    double deadline = HUGE_VAL;
    bool timed_out = false;
    bool asked_to_end = false;

    std::vector<Asker> askers;  ///< who waits for a spawned one

  private:
    void begin_child(const Waiting& next);
    void end_attempt(const AttemptId& ended, Cause cause, int exit, const std::string& message,
                     std::map<std::string, Artifact> artifacts, Timestamp since);
    void answer_spawn(const SpawnAsked& asked);
    void tell_askers(int exit, const std::string& state);
    Node& begin_spawned(const ChildRun& child, const std::string& task);

    Conductor& tree_;
    std::deque<Waiting> waiting_;
    std::size_t tasks_ = 0;  ///< children that are tasks
};

}  // namespace amp
