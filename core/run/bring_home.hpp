#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "core/run/services.hpp"

namespace amp {

/// Brings those of the artifacts home that stayed on other machines, and waits for them: for commands, not
/// for runs. @throws Error(not_found) when one is there no more; Error(interrupted) when told to end; as
/// FarArrival when it cannot be reached
void bring_home(Services& services, const OpenStore& store, std::span<const Artifact> artifacts);
/// The same for all inputs of a task.
void bring_home(Services& services, const OpenStore& store, const TaskSpec& spec);

/// Which of these are on other machines, by their hashes: the profile.
std::map<std::string, std::string> artifacts_elsewhere(const OpenStore& store,
                                                       const std::set<std::string>& hashes);

}  // namespace amp
