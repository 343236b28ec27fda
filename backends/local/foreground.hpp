#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/secret.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// One task, and the store that its inputs come from.
struct ForegroundRequest {
    const TaskSpec& spec;
    std::string folder;  ///< becomes its AMP_TASK_DIR; stays
    std::string shell;   ///< started instead, with our standard streams; the spec's words are what it is
                         ///< given. Empty: the task's own command
    const std::vector<Secret>& secrets;            ///< what the spec refers to
    std::function<void(std::string_view)> output;  ///< of a shell: nothing, again and again while it is open
    std::string store_folder;
    ObjectStore& objects;
    AppendFiles& files;
};

/// Does one task in front of the user as a keeper would do it: the same inputs, environment, time limit and
/// end of all its processes; but it prints to us, and nothing of it is kept. This process becomes the
/// subreaper of the task's. With `hold_s` in its spec, `folder` is one that a keeper holds for it: it is
/// entered as it is, with what else the keeper holds.
/// @throws Error when its inputs cannot be laid, or too few GPUs are free
AttemptResult run_in_foreground(const ForegroundRequest& task);

}  // namespace amp
