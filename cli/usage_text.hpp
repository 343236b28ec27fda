#pragma once

#include <string>

#include "core/run/inspect.hpp"

namespace amp {

/// Has it told something itself, beside what amp has sampled of it?
bool has_told(const TaskReport& report);

/// What was sampled of a task's last attempt: "uses: cpu 3.2, memory 12.1 GiB, gpu 0 87 %" while it runs, and
/// afterwards "used: cpu 2.9 (peak 3.8), memory 12.4 GiB, gpu 0 99 %", the most of each. Empty: nothing was.
std::string usage_text(const TaskView& task);

}  // namespace amp
