#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/engine/plan.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct TaskView {
    TaskName name;
    TaskState state = TaskState::waiting;
    std::uint32_t attempt = 0;            ///< of the last; 0: never started
    std::vector<AttemptResult> attempts;  ///< those that ended, in order
    std::optional<Timestamp> running_since;
    std::shared_ptr<const TaskReport> report;  ///< what its last attempt told, also while that runs; of a
                                               ///< cached one: what the task told that made its result
    std::optional<Value> item;
    std::string child = {};         ///< the run that it is, of a sub-flow step
    std::string failed_below = {};  ///< of a failed one the task to blame there, RUN/STEP/INDEX, or RUN
    std::map<std::string, Artifact> artifacts;  ///< what it has made, or taken over from another run
    std::string made_by = {};                   ///< of a cached one: the task that did, RUN/STEP/INDEX
    std::uint32_t made_attempt = 0;             ///< and in which attempt; 0: unknown, its run is gone
    std::optional<Timestamp> waits_since = {};  ///< for people or the world
    std::string waits_for = {};
    std::string answer = {};                   ///< "approved by ada": whoever drives the run next hears it
    std::string problem = {};                  ///< of one that failed without an attempt
    std::optional<Timestamp> held_until = {};  ///< its place is kept for `amp shell`
};

struct StepView {
    std::string name;
    Plan::Counts counts{};
};

/// A run read back from its records.
struct RunView {
    std::string run;
    std::string flow;
    std::string state;  ///< pending, running, succeeded, failed, cancelled, or interrupted (derived)
    std::string user;
    std::string host;
    std::string origin;                ///< the run that it was resumed from with changes
    std::string partial;               ///< "until train", "only train"; empty: it is a run of the whole flow
    std::string waits_for;             ///< the run of its flow that must end first
    std::vector<std::string> outside;  ///< steps of the flow that are no part of it
    std::string parent;                ///< the task that it belongs to: RUN/STEP/INDEX; empty: none
    std::vector<std::pair<std::string, std::string>> spawned;  ///< runs that its tasks spawned, and which
    std::string commit;                                        ///< of git; empty: none
    bool dirty = false;
    bool code_changed = false;  ///< the project's files changed while it ran
    Timestamp created;
    std::optional<Timestamp> ended;
    Value params;
    std::vector<std::string> tags;
    std::vector<StepView> steps;
    std::vector<TaskView> tasks;  ///< in the order of steps, then indices
    std::uint64_t caught = 0;
    Value record;                                  ///< run.json
    std::map<std::string, std::string> elsewhere;  ///< artifacts that are not here: the profile, by hash
};

/// @param reference as core/run/reference.hpp says @throws Error(not_found), Error(usage)
RunView view_run(Services& services, const Project& project, const std::string& reference);

/// Has the run this step (empty: any), and this task of it (its round is ignored)? @throws Error(not_found)
void check_task(const RunView& view, const std::string& step, const std::optional<TaskIndex>& index);

/// What `amp runs` lists: from summary.json where that is whole, else from the journal.
struct RunSummary {
    std::string run;
    std::string flow;
    std::string state;
    std::string user;
    Timestamp created;
    std::optional<Timestamp> ended;
    std::uint64_t tasks = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::string parent = {};   ///< as RunView::parent
    std::string partial = {};  ///< as RunView::partial
    std::vector<std::string> tags;
    Value params;
};
struct RunFilter {
    std::string flow = {};
    std::string tag = {};
    std::string state = {};
    std::optional<Timestamp> since = {};
    std::optional<Timestamp> until = {};
    std::string where = {};  ///< an expression over params.NAME and the summary's fields: "params.lr > 0.1"
    std::string sort = {};   ///< a field or params.NAME; "-" in front: descending. Default: newest first
    std::size_t limit = 0;
    bool all = false;                                   ///< also those that belong to tasks of others
    std::function<void(const std::string&)> warn = {};  ///< hears of a parameter that no run has
};
/// What `where` and `sort` may name, besides params.NAME.
std::vector<std::string> run_field_names();
std::vector<RunSummary> list_run_summaries(Services& services, const Project& project,
                                           const RunFilter& filter);

/// A task's artifact as somebody asks for it. @throws Error(not_found) with a did-you-mean
Artifact find_artifact(const RunView& view, const TaskName& task, const std::string& name);
/// Its value: of a value, or of a JSON file. @throws Error(invalid) for other files
Value artifact_value(Services& services, const Project& project, const std::string& run,
                     const Artifact& artifact);
/// Gives the bytes of a file in pieces, or a value as JSON in a line. @throws Error(invalid) for a folder
void read_artifact(Services& services, const Project& project, const Artifact& artifact,
                   const std::function<void(std::string_view)>& each);
/// Copies a file or folder artifact (or a value as JSON) to a new path.
void save_artifact(Services& services, const Project& project, const std::string& run,
                   const Artifact& artifact, const std::string& path);

/// Which logs: a run, a step of it, a task, an attempt.
struct LogQuery {
    std::string run = {};
    std::string step = {};
    std::optional<TaskIndex> index = {};
    std::optional<std::uint32_t> attempt = {};  ///< default: the last of each task
    bool follow = false;
    std::optional<std::uint32_t> rank = {};  ///< of a gang; default: all
};
struct LogLine {
    TaskName task;
    std::uint32_t attempt = 1;
    Timestamp at;
    bool note = false;                       ///< amp's own remark
    std::string bytes;                       ///< as written; not necessarily whole lines
    std::optional<std::uint32_t> rank = {};  ///< of a gang
};
/// Calls `each` until all is told (follow: until the run has ended, or `each` returns false).
/// @return what the user should know besides: that there are earlier attempts, or why there is nothing
std::vector<std::string> read_logs(Services& services, const Project& project, const LogQuery& query,
                                   const std::function<bool(const LogLine&)>& each);

void tag_run(Services& services, const Project& project, const std::string& reference,
             const std::vector<std::string>& tags, bool on);

}  // namespace amp
