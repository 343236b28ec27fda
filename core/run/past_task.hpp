#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/services.hpp"

namespace amp {

/// A run that is looked back at, and which attempts its tasks have come to.
struct PastRun {
    std::string run;
    ReadRun read;
    std::map<TaskId, std::vector<AttemptResult>> attempts;

    const RunData& data() const { return *read.data; }
    const Plan& plan() const { return read.data->plan(); }
};
PastRun read_past(const OpenStore& store, const std::string& run);

/// Which task is meant. @param command that asks, for hints: "amp replay"
/// @throws Error(not_found) with a did-you-mean; Error(usage) when the step has several, or runs a flow
TaskId find_past_task(const PastRun& past, const std::string& step, const std::optional<TaskIndex>& index,
                      const std::string& command);
/// Which attempt, and when it was. @throws Error(not_found)
std::pair<std::uint32_t, Timestamp> choose_attempt(const PastRun& past, TaskId task,
                                                   const std::optional<std::uint32_t>& attempt);
bool ever_ran(const OpenStore& store, const PastRun& past, TaskId task);
[[noreturn]] void refuse_never_ran(Services& services, const Project& project, const std::string& run,
                                   const TaskName& task);
/// @throws Error(usage) when the store does not have it
void refuse_image(const CodeManifest& code, const std::string& run);

/// As it was handed out then. @param code the folder with the run's code; empty: where it was
TaskSpec build_past_spec(Services& services, const OpenStore& store, const PastRun& past, TaskId task,
                         std::uint32_t attempt, Timestamp started, const std::string& code);

/// For a task's own folder and its code. @return absolute @throws Error(usage) when something lies there
std::string make_task_folder(const std::string& folder);

/// Makes it a shell in the task's place; $AMP_COMMAND is a script that does what the task would do.
/// @param command what the shell is to do; empty: its user says
void make_shell(const Services& services, const std::string& command, ForegroundTask& task);

}  // namespace amp
