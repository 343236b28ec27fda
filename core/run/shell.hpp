#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct ShellQuery {
    std::string run = "latest";           ///< reference
    bool any_run = false;                 ///< none was named: the flow's step where the latest run has none
    std::string step = {};                ///< of it
    std::optional<TaskIndex> index = {};  ///< unset: the only task of the step
    std::string command = {};             ///< what the shell is to do; empty: its user says
    std::string folder = {};              ///< new: for what is laid; removed at the end
};

/// The place that is entered, before it is.
struct ShellBegin {
    std::string run;  ///< empty: of a flow that has not run
    TaskName task;
    std::uint32_t attempt = 1;
    std::string folder;                     ///< $AMP_TASK_DIR; empty: elsewhere
    std::string cwd;                        ///< where it starts; empty: elsewhere
    std::optional<Timestamp> held_until;    ///< the place of the failure itself, which is kept until then
    std::vector<std::string> missing = {};  ///< paths of the code whose content was not kept
    std::string machine = {};               ///< of the profile; empty: this one
};

struct ShellEnd {
    ShellBegin begin;
    AttemptResult result;
    bool freed = false;  ///< the place was held, and is no longer
};

/// A shell where a task would be: its folder, variables, secrets, inputs, GPUs, and its container. Where the
/// place of its failure is held, that very place, on whichever machine; else a new one, with the run's code,
/// or of a flow that has not run where it would run. Nothing of it is recorded.
/// @throws Error(not_found), Error(usage) as replay_task; Error(busy) when too few GPUs are free
ShellEnd open_shell(Services& services, const Project& project, const ShellQuery& query,
                    const std::function<void(const ShellBegin&)>& begins);

/// Ends the hold of a place. @return its task @throws Error(not_found) when none is held
TaskName free_place(Services& services, const Project& project, const ShellQuery& query, std::string& run);

}  // namespace amp
