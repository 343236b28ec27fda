#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/engine/plan.hpp"
#include "core/flow/model.hpp"
#include "core/run/run_events.hpp"
#include "core/run/run_record.hpp"

namespace amp {

/// What a run has come to: its plan, and the values beside it. Built from the journal's events by the same
/// code that drives the run, so that what a resume sees is what was.
class RunData {
  public:
    /// @param flow what record.flow_source says; must outlive this
    RunData(const RunRecord& record, const Flow& flow, const Graph& graph);

    /// Applies an event; false when the plan has no use for it (a duplicate), and then nothing changed.
    bool apply(const RunEvent& event);

    const RunRecord& record() const { return record_; }
    const Flow& flow() const { return flow_; }
    const Graph& graph() const { return graph_; }
    Plan& plan() { return plan_; }
    const Plan& plan() const { return plan_; }
    const Step& step(StepId id) const { return flow_.steps[id]; }

    /// The items of a foreach at the path around it; nullptr while undecided.
    const List* items(StepId step, const std::vector<std::uint32_t>& around) const;

    /// What a finished task made (the last round of it), its caught error included; nullptr when nothing.
    const std::map<std::string, Artifact>* artifacts(TaskId task) const;
    /// In a repetition: what the round before the last finished one made.
    const std::map<std::string, Artifact>* artifacts_of_round_before(TaskId task) const;

    /// {cause, exit, message, log_tail} of a task's last failure; nullptr when it has none.
    const Value* error(TaskId task) const;
    /// The definition hash of a succeeded or cached task; empty when unknown.
    std::string definition(TaskId task) const;
    /// The task that made what a cached one has, RUN/STEP/INDEX; empty when it is none, or unknown.
    std::string made_by(TaskId task) const;

    /// Of a task that waits for people or the world.
    struct Waiting {
        Timestamp since;
        std::string what;
    };
    /// nullptr: it does not (any more).
    const Waiting* waiting(TaskId task) const;

  private:
    void keep_end(TaskId task, const RunEvent& event);
    void keep_reused(TaskId task, const RunEvent& event);
    void keep_failed_decision(const DecisionFailed& failed, const RunEvent& event);

    const RunRecord& record_;
    const Flow& flow_;
    const Graph& graph_;
    Plan plan_;
    std::map<std::pair<StepId, std::vector<std::uint32_t>>, List> items_;
    std::unordered_map<TaskId, std::map<std::string, Artifact>> artifacts_;
    std::unordered_map<TaskId, std::map<std::string, Artifact>> round_before_;
    std::unordered_map<TaskId, Value> errors_;
    std::unordered_map<TaskId, std::string> definitions_;
    std::unordered_map<TaskId, std::string> made_by_;
    std::unordered_map<TaskId, Waiting> waiting_;
};

/// The flow of a record, loaded again; of a partial run what is part of it. @throws Error(mismatch) when this
/// amp no longer accepts it
struct RecordedFlow {
    Flow flow;
    Graph graph;
};
std::unique_ptr<const RecordedFlow> load_recorded_flow(const RunRecord& record);
/// The same of a flow that was loaded to make the record.
std::unique_ptr<const RecordedFlow> recorded_flow(Flow flow, Graph graph, const RunRecord& record);

/// For `grow`, limits and the like, which may be expressions over params, config, git and env: fills limit
/// and priority of the graph.
void settle_graph(Graph& graph, const Flow& flow, const RunRecord& record);

}  // namespace amp
