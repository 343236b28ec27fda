#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

struct ApproveOptions {
    std::string run = "latest";
    std::string step;
    std::optional<TaskIndex> index;  ///< unset: all tasks of the step that wait
    bool approved = true;            ///< false: reject
    std::string comment;
};

/// Records an answer for tasks that wait for approval, durably; whoever drives the run, now or later, goes on
/// from there. An answer is given once.
/// @return the run, and its tasks that were answered, STEP/INDEX
/// @throws Error(not_found) when no such task waits, naming those that do
struct Approved {
    std::string run;
    std::vector<std::string> tasks;
};
Approved approve_tasks(Services& services, const Project& project, const ApproveOptions& options);

}  // namespace amp
