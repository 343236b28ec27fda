#pragma once

#include <string>
#include <vector>

#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"
#include "core/run/run_record.hpp"

namespace amp {

/// @param option how they were named, for the message @throws Error(not_found) with a did-you-mean
void check_step_names(const Flow& flow, const std::vector<std::string>& names, const std::string& option);

/// Of a run with --until or --only: takes all steps out of the flow but those named and their ancestors.
/// What is left is closed, so it is a flow of its own; its plan knows nothing of the others. Clean-up steps
/// without needs are ancestors of nothing: they are in when they are named.
void leave_outside(Flow& flow, Graph& graph, const RunRecord& record);

/// The names of a flow's steps that are no part of the run, in the order of the file.
std::vector<std::string> outside_steps(const Flow& whole, const RunRecord& record);
/// The same, from the record alone.
std::vector<std::string> outside_steps(const RunRecord& record);

/// "until train", "only train, report"; empty for a whole run.
std::string partial_text(const RunRecord& record);

}  // namespace amp
