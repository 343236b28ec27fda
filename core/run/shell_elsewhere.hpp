#pragma once

#include <functional>

#include "core/run/holds.hpp"
#include "core/run/past_task.hpp"
#include "core/run/shell.hpp"

namespace amp {

/// A shell in a place that is held on the machine of a profile. As open_shell.
/// @throws Error(authentication), Error(infrastructure) when that machine cannot be reached
ShellEnd enter_held_elsewhere(Services& services, const OpenStore& store, const PastRun& past,
                              const Hold& hold, const ShellQuery& query,
                              const std::function<void(const ShellBegin&)>& begins);

/// The same in a new place there, with the code of the run and the task's inputs.
/// @param spec with the code where it was when the run began
/// @throws Error(busy) when its GPUs are not free there
ShellEnd enter_new_elsewhere(Services& services, const Project& project, const OpenStore& store,
                             const PastRun& past, TaskSpec spec, const ShellQuery& query,
                             const std::function<void(const ShellBegin&)>& begins);

}  // namespace amp
