#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"

namespace amp {

/// RUN, RUN/STEP or RUN/STEP/INDEX as people type them; what RUN can be: core/run/reference.hpp.
struct TaskTarget {
    std::string run = "latest";
    std::string step;                ///< empty: the run as a whole
    std::optional<TaskIndex> index;  ///< never without a step

    bool operator==(const TaskTarget&) const = default;
};

/// What `amp shell` is given.
struct ShellTarget {
    TaskTarget task;
    bool any_run = false;  ///< no run was named

    bool operator==(const ShellTarget&) const = default;
};

/// STEP[/INDEX], RUN/STEP[/INDEX], or RUN and STEP[/INDEX]. What stands before one slash is a step where an
/// index stands behind it. @throws Error(usage)
ShellTarget parse_shell_target(const std::vector<std::string>& texts);

/// @throws Error(usage)
TaskTarget parse_target(std::string_view text);

}  // namespace amp
