#pragma once

#include <string>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/expression.hpp"
#include "core/flow/model.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"

/// Which profile runs what: a run has one, and a step may name another (`on`).
namespace amp {

/// The project's profiles, for RunRecord::profiles: {name: its table without `step`}.
Value recorded_profiles(const Value& settings);

/// The profile that has the tasks of a step: its own, else the run's.
/// @throws Error(invalid) when there is none of that name
std::string profile_name(const Step& step, const RunRecord& record, const Scope& scope);

/// For TaskSpec::profile: empty where the tasks of a profile run on this machine.
std::string elsewhere(const RunRecord& record, const std::string& profile);

/// The profiles whose tasks run elsewhere, and which the run may use: all, where what a step is `on` is known
/// only at its start.
std::vector<ProfileUse> used_profiles(const RunRecord& record, const Flow& flow);

}  // namespace amp
