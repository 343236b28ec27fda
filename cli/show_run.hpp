#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/failure_text.hpp"
#include "cli/terminal.hpp"
#include "core/base/value.hpp"
#include "core/run/inspect.hpp"

namespace amp {

/// How a run went: what it is, its steps, its tasks, and of what failed the cause and the way to its log.
/// @param tail where given: the last lines that the first failed tasks printed
std::string run_report(const RunView& view, const Presentation& presentation, const LogTail& tail = {});
/// The last lines that a failed task printed, and the commands that show more of it; empty of one that never
/// ran.
std::string failure_details(const RunView& view, const TaskView& task, const LogTail& tail,
                            const Style& style);
/// Schema amp.run/1.
Value run_document(const RunView& view);

/// For --plain, its tasks: task, state, attempt, exit, cause, started, ended, item (JSON).
std::string run_plain(const RunView& view);

std::string runs_table(const std::vector<RunSummary>& runs, const Presentation& presentation);
/// For --plain: run, state, flow, created, ended, tasks, succeeded, failed, user, tags (with commas), params.
std::string runs_plain(const std::vector<RunSummary>& runs);
/// Schema amp.runs/1.
Value runs_document(const std::vector<RunSummary>& runs);

/// An artifact, and where it was made.
struct MadeArtifact {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string name;
    Artifact artifact;
    std::optional<Timestamp> at = {};  ///< unless it was taken over
    std::string elsewhere = {};        ///< the profile on whose machine it stayed; empty: it is here
};
/// Those of the last attempts, of all tasks or of the chosen ones, in the view's order.
std::vector<MadeArtifact> made_artifacts(const RunView& view, const std::string& step,
                                         const std::optional<TaskIndex>& index);
std::string artifacts_table(const std::vector<MadeArtifact>& artifacts, const Presentation& presentation);
/// For --plain: task, attempt, name, kind, size in bytes, sha256, value as JSON, the profile where it stayed.
std::string artifacts_plain(const std::vector<MadeArtifact>& artifacts);
/// Schema amp.artifacts/1.
Value artifacts_document(const std::string& run, const std::vector<MadeArtifact>& artifacts);

}  // namespace amp
