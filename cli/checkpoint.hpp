#pragma once

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp checkpoint`: inside a task, saves $AMP_CHECKPOINT and returns when that is durable.
struct CheckpointCommand {};

ExitCode execute(Session& session, const CheckpointCommand& command);

}  // namespace amp
