#pragma once

#include "core/flow/diagnostic.hpp"
#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// Evaluates what hangs on literals and parameters alone, and tells what fails: AMP1113, AMP1114. A failure
/// of a step that may be skipped is a warning.
/// @param given the parameters' values of a run that is about to start: then what surely fails is an error.
///        null: the defaults; where other values could make it right it is a warning
void validate_constants(const Flow& flow, const Graph& graph, const Object* given, Diagnostics& diagnostics);

}  // namespace amp
