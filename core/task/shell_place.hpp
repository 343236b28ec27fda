#pragma once

#include <string>

#include "core/ports/task_spec.hpp"

namespace amp {

/// Makes it what a shell in the task's place is given: the words for the shell, and $AMP_COMMAND, a script in
/// `folder` that does what the task would do.
/// @param folder $AMP_TASK_DIR; made where it is missing
/// @param command what the shell is to do; empty: its user says
/// @throws Error(infrastructure) when the script cannot be written
void become_shell(TaskSpec& spec, const std::string& folder, const std::string& command);

}  // namespace amp
