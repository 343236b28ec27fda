#pragma once

#include <string>

#include "backends/local/keeper_history.hpp"

namespace amp {

/// Ends and removes the containers that a dead keeper has left. They end with it by themselves; this waits
/// for it, and takes what the engine still has of them. Where the engine does not answer, or is no more, it
/// stays.
void remove_containers(const KeeperHistory& history, const std::string& run);

}  // namespace amp
