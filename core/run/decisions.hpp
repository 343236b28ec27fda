#pragma once

#include "core/run/run_data.hpp"
#include "core/run/run_scope.hpp"

namespace amp {

/// The answer to a question of the plan: its expressions, evaluated over what the run has come to.
/// @throws Error when one fails, or gives what cannot be
RunEvent decide(const RunData& data, const Question& question, const ArtifactLoader& load, Timestamp now);

}  // namespace amp
