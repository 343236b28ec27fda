#pragma once

#include "core/run/run_scope.hpp"
#include "core/run/services.hpp"
#include "core/store/packs.hpp"

namespace amp {

/// Reads the value of a value artifact, in line or not, verified. @throws Error(not_found), Error(mismatch)
Value read_artifact_value(const OpenStore& store, const Artifact& artifact);

/// Are the objects of a result in the store? After a crash of the machine a record may name what never
/// reached the disk; such a record counts as not written.
/// @param accepted as read_piece takes it
bool objects_present(const OpenStore& store, const AttemptResult& result, const PackLengths& accepted = {});

}  // namespace amp
