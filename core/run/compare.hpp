#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/package/code_manifest.hpp"
#include "core/run/definition.hpp"
#include "core/run/inspect.hpp"

namespace amp {

/// What differs between two runs of, mostly, the same flow.
struct RunDifference {
    RunView before;
    RunView after;
    std::vector<ValueDifference> params;
    std::vector<ValueDifference> config;
    std::vector<ValueDifference> environments;  ///< their keys, by file
    std::string flow;                           ///< of the flow's file, as `diff -u` writes it; empty: equal
    struct File {
        CodeDifference how;
        std::string patch;  ///< as `diff -u` writes it, or a sentence; empty: not asked for
    };
    std::vector<File> code;
    struct Made {
        std::string task;
        std::string name;
        std::optional<Artifact> before;
        std::optional<Artifact> after;
    };
    std::vector<Made> artifacts;           ///< those that differ
    std::size_t same_artifacts = 0;        ///< and how many do not
    std::vector<ValueDifference> metrics;  ///< the last values, by "STEP/INDEX.NAME"
    struct TaskState {
        std::string task;
        std::string before;  ///< empty: no such task
        std::string after;
    };
    std::vector<TaskState> states;
    /// Is anything but times another?
    bool any() const;
};
/// @param patch fill File::patch
/// @throws Error(not_found)
RunDifference diff_runs(Services& services, const Project& project, const std::string& before,
                        const std::string& after, bool patch);

/// Some runs side by side.
struct Comparison {
    struct Run {
        RunView view;
        std::map<std::string, Value> values;  ///< by column
    };
    std::vector<Run> runs;
    std::vector<std::string> columns;    ///< "code", params.NAME, then STEP.NAME of artifacts and metrics
    std::vector<std::string> differing;  ///< those that are not the same in all runs
};
/// @param references empty: those that the filter lets pass
/// @param system also what was sampled of tasks
Comparison compare_runs(Services& services, const Project& project,
                        const std::vector<std::string>& references, const RunFilter& filter,
                        bool system = false);

}  // namespace amp
