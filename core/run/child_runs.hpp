#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/subflows.hpp"
#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/run_data.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"
#include "core/run/sub_runs.hpp"

namespace amp {

/// All flow files that a flow runs, read from the project; mistakes go to `diagnostics`.
/// @param record of a run whose profile's step keys and project folder count; null: the project's
Subflows read_subflows(Services& services, const Project& project, const Flow& flow, Diagnostics& diagnostics,
                       const RunRecord* record = nullptr);
/// As a run's record holds them: children are run from there, whatever becomes of the files.
Value recorded_flows(const Subflows& subflows);

/// A run that is a task of another, or was spawned by one.
struct ChildRun {
    std::string run;
    std::string task;  ///< of the parent: STEP/INDEX
    bool spawned = false;
    bool existed = false;  ///< it has been created before
};

/// The run that belongs to `key` in `parent`: the one that it has already, however often and by whomever this
/// was begun, or a new one from `record` (whose id and time are filled in).
ChildRun ensure_child_run(Services& services, OpenStore& store, const std::string& parent,
                          const std::string& key, const std::string& task, RunRecord record);
/// All that were ever begun.
std::vector<ChildRun> children_of(const OpenStore& store, const std::string& run);
std::optional<ChildRun> find_child(const OpenStore& store, const std::string& run, const std::string& key);

/// The record of a child of `parent` that runs the file `child` names.
/// @throws InvalidFlow when it is given what it cannot take; Error(invalid)
RunRecord child_record(Services& services, OpenStore& store, const RunRecord& parent, const TaskName& task,
                       const ChildFlow& child);
/// The record of a run that a task spawns. @param request as in SpawnAsked @throws as child_record
RunRecord spawned_record(Services& services, OpenStore& store, const RunRecord& parent, const TaskName& task,
                         const Value& request);

/// What a child that succeeded made, under the names of its step's outputs.
/// @throws Error(not_found) when one is missing
std::map<std::string, Artifact> child_outputs(OpenStore& store, const RunData& child,
                                              const std::vector<TaskOutput>& outputs);

}  // namespace amp
