#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/model.hpp"
#include "core/ports/backend.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/run_record.hpp"

namespace amp {

constexpr std::uint32_t k_most_gpus = 1024;  // that a task may ask for

// What a step asks for at a task, evaluated. @throws Error(invalid)

Resources evaluate_resources(const Step& step, const Scope& scope);
/// nullopt: it is no gang. `tasks_per_node` that is not said is one a GPU where the launcher is one of
/// PyTorch's, else one.
std::optional<Gang> evaluate_gang(const Step& step, const Scope& scope, const Resources& node);
/// Are they the same for all tasks of the step?
bool has_fixed_requests(const Step& step);

/// `grow` after `ooms` attempts that ran out of memory. There are no half GPUs.
void grow_resources(Resources& resources, const RetryPolicy& retry, std::uint32_t ooms);

/// Cuts a request down to what the machine has (`--fit`), and says each cut: "2 of 64 cpu". A gang keeps its
/// nodes as long as each can have a GPU, where it asked for some.
std::vector<std::string> fit_request(Resources& node, std::optional<Gang>& gang, const Capacity& machine);
/// The cuts that a run of the flow will see, as far as they can be known before it starts: "step 'train' gets
/// …".
std::vector<std::string> expected_cuts(const Flow& flow, const RunRecord& record, const Capacity& machine);
std::string cut_text(const std::string& step, const std::string& cut);

}  // namespace amp
