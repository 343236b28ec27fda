#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/value.hpp"
#include "core/engine/plan.hpp"
#include "core/flow/graph.hpp"
#include "core/ports/task_spec.hpp"
#include "core/store/journal.hpp"

namespace amp {

/// What the journal says beside a plan's event: the values that the plan has no use for.
struct RunEvent {
    PlanEvent event = {};
    Timestamp at = {};
    List items = {};                           ///< of ItemsDecided
    std::string message = {};                  ///< of DecisionFailed: why; of WaitBegan: for what
    std::optional<AttemptResult> result = {};  ///< of TaskEnded
    std::string log_tail = {};                 ///< of a failed TaskEnded: its last lines
    std::string definition = {};  ///< of a succeeded TaskEnded and of TaskReused: the definition hash
    std::map<std::string, Artifact> artifacts = {};  ///< of TaskReused
    std::string from = {};  ///< of TaskReused: the task that made them, RUN/STEP/INDEX; of WaitEnded: by whom
};

/// The end of a run, the last record of its journal (until it is resumed).
struct RunEndRecord {
    RunState state = RunState::failed;
    bool code_changed = false;  ///< the project's files changed while it ran
    Timestamp at;
};

// Journal records. A record that we do not know (of a newer amp) is nullopt.
struct JournalEntry {
    std::string type;
    Value payload;
};
JournalEntry journal_entry(const RunEvent& event, const Graph& graph);
std::optional<RunEvent> run_event_from(const Record& record, const Graph& graph);
JournalEntry journal_entry(const RunEndRecord& end);
std::optional<RunEndRecord> run_end_from(const Record& record);

}  // namespace amp
