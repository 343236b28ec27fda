#pragma once

#include <string>

#include "core/base/ids.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Of a failed task that is a run of its own: the task to blame in that run, or in the runs below it, as
/// RUN/STEP/INDEX; only RUN where no task of it failed. Empty: the task is no run, or it cannot be read.
std::string failed_below(const OpenStore& store, const std::string& run, const TaskName& task);

}  // namespace amp
