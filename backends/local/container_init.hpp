#pragma once

namespace amp {

/// `amp container-init`: the first process of a task's container. It reads its order, starts the task's
/// command as the keeper would start it outside, hands signals on to its group, ends what it leaves running,
/// and says how it ended. When the keeper is gone it ends all at once: a container outlives no keeper.
/// @returns what the container exits with
int container_init();

}  // namespace amp
