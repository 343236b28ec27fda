#pragma once

#include "core/run/run_scope.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Reads the value of a value artifact, in line or not, verified. @throws Error(not_found), Error(mismatch)
Value read_artifact_value(const OpenStore& store, const Artifact& artifact);

}  // namespace amp
