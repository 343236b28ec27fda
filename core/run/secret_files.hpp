#pragma once

#include <string>
#include <vector>

#include "core/flow/subflows.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"

namespace amp {

/// A file that holds a secret must be no code of the project: what a run used is kept in the store, and
/// checked out again. Call before the code is kept.
/// @param given where parameters come from: -p NAME=@FILE
/// @throws Error(invalid) naming the files
void check_secret_files(Services& services, OpenStore& store, const Project& project, const Flow& flow,
                        const Subflows& subflows, const ParameterSources& given);

}  // namespace amp
