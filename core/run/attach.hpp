#pragma once

#include <functional>
#include <string>

#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"

namespace amp {

/// Follows a run that somebody else drives, from its journal and the logs of its keepers, until it has ended;
/// of one that has, tells how. A signal, or `enough`, ends the following alone: RunOutcome::left.
/// @throws Error(not_found), Error(busy) when nobody drives it (any more) and it has not ended
RunOutcome attach_run(Services& services, const Project& project, const std::string& reference,
                      RunObserver& observer, const std::function<bool()>& enough = {});

}  // namespace amp
