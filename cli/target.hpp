#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"

namespace amp {

/// RUN, RUN/STEP or RUN/STEP/INDEX as people type them; what RUN can be: core/run/reference.hpp.
struct TaskTarget {
    std::string run = "latest";
    std::string step;                ///< empty: the run as a whole
    std::optional<TaskIndex> index;  ///< never without a step

    bool operator==(const TaskTarget&) const = default;
};

/// Empty text: the latest run. @throws Error(usage)
TaskTarget parse_target(std::string_view text);

}  // namespace amp
