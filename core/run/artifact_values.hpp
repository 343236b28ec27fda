#pragma once

#include "core/run/run_scope.hpp"
#include "core/run/services.hpp"
#include "core/store/packs.hpp"

namespace amp {

/// Reads the value of a value artifact, in line or not, verified. @throws Error(not_found), Error(mismatch)
Value read_artifact_value(const OpenStore& store, const Artifact& artifact);

/// A value in a pack belongs to the run whose pack that is, and goes with it: makes an object of each, so
/// that another run may name it. Call ObjectStore::sync_pending before a record does.
/// @return whether there were such. @throws as read_artifact_value
bool take_out_of_packs(const OpenStore& store, std::map<std::string, Artifact>& artifacts);

/// Is it in the store? What stayed on another machine counts as present.
/// @param accepted as read_piece takes it
bool artifact_present(const OpenStore& store, const Artifact& artifact, const PackLengths& accepted = {});

/// Is each artifact of a result present? After a crash of the machine a record may name what never reached
/// the disk; such a record counts as not written.
bool objects_present(const OpenStore& store, const AttemptResult& result, const PackLengths& accepted = {});

}  // namespace amp
