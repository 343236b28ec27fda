#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/run/services.hpp"

namespace amp {

// The tasks of a run, seen from afar: from run.json and the journal's texts, of which few are taken apart.
// Of a large run less may be found than there is (what lies beyond the first 32 MiB of its journal, what only
// the older of very many tasks made or came to), but nothing that there is not.

struct TaskGlance {
    std::string index;
    std::string state = {};  ///< what its last attempt came to, where that was found: succeeded, failed...
};

/// The tasks of a step whose indices begin with `begin`, in order, at most 10,000; none of a foreach without
/// its items. @throws Error(not_found), Error(mismatch) when the run or its flow cannot be read
std::vector<TaskGlance> glance_tasks(const OpenStore& store, const std::string& run, const std::string& step,
                                     std::string_view begin);

/// What the artifacts of a run, a step (unless empty) or a task of it are called, each once, sorted.
/// @throws as glance_tasks
std::vector<std::string> glance_artifacts(const OpenStore& store, const std::string& run,
                                          const std::string& step, const std::optional<TaskIndex>& index);

}  // namespace amp
