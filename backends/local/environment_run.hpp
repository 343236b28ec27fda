#pragma once

#include <span>
#include <string>
#include <vector>

#include "backends/local/task_run.hpp"

namespace amp {

/// What is started instead of `words` where a task has an environment: this program, which makes the
/// environment if need be, and becomes them.
std::vector<std::string> in_environment(const TaskRun& run, std::vector<std::string> words);

/// `amp environment-run`: `arguments` are what stands behind that word. Returns only when it fails: with 75
/// when it may come off the next time, 126 or 127 when the command cannot be started, else 1.
int environment_run(std::span<const std::string> arguments);

/// Why a task's environment could not be made, or its command not be started in it; empty: it was.
std::string environment_problem(const TaskRun& run);

/// How much of its limit of time a task has left once `timeout_s` are over since its start: making an
/// environment does not count. 0: nothing.
double time_left(const TaskRun& run);

}  // namespace amp
