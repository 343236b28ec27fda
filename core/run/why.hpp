#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/run/definition.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct WhyQuery {
    std::string run;                 ///< reference
    std::string step;                ///< of it
    std::optional<TaskIndex> index;  ///< unset: all tasks of the step
    std::string against;             ///< the run to compare with; empty: its origin, else an earlier one
};

/// Why a task is what it is.
struct WhyAnswer {
    std::string task;
    std::string state;
    std::vector<std::string> reasons;               ///< sentences, the most telling first
    std::vector<DefinitionDifference> differences;  ///< from the run compared with
    std::vector<WhyAnswer> because;                 ///< of what it needs, where that is the reason
};

struct WhyReport {
    std::string run;
    std::string against;  ///< the run compared with; empty: none
    std::vector<WhyAnswer> answers;
    std::size_t more = 0;  ///< tasks of the step that are not told
};

/// Why a task ran, was reused, skipped, is blocked or failed.
/// @throws Error(not_found) with a did-you-mean
WhyReport why_task(Services& services, const Project& project, const WhyQuery& query);

}  // namespace amp
