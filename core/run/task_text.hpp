#pragma once

#include <string>
#include <string_view>

#include "core/ports/task_spec.hpp"

namespace amp {

/// How people name a task: STEP, with the index where there is one.
std::string task_text(const TaskName& task);
/// The same of STEP/INDEX, or RUN/STEP/INDEX, as records and documents have it.
std::string task_text(std::string_view recorded);

}  // namespace amp
