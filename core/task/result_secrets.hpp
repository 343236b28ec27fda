#pragma once

#include "core/ports/task_spec.hpp"
#include "core/task/masker.hpp"

namespace amp {

/// A value artifact stands in the records of the run, where everyone who can read the store sees it: one that
/// holds the value of a secret fails its task. Files are the user's own, and are kept as they are.
/// @param masks nullptr: there are no secrets
void keep_secrets_out(AttemptResult& result, const MaskPatterns* masks);

}  // namespace amp
