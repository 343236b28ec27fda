#pragma once

#include "core/run/project.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"

namespace amp {

/// The parameters and configuration of a run, resolved from all their sources.
struct ResolvedInputs {
    Value params = Object{};
    Value config = Object{};
};

/// @param store for the content of parameters that are files; null: they are only hashed
/// @param before what an earlier run was given (resume): stands where nothing newer is said; null: none
/// @throws InvalidFlow with a diagnostic for each mistake
ResolvedInputs resolve_inputs(Services& services, OpenStore* store, const Project& project, const Flow& flow,
                              const ParameterSources& sources, const RunRecord* before);

/// The files of [config], read; mistakes go to `diagnostics`.
Object read_config(Services& services, const Project& project, const Flow& flow,
                   const ParameterSources& sources, Diagnostics& diagnostics);

/// The variables of the environment that the expressions of the flow and its sub-flows mention, as they are
/// now.
Value recorded_environment(const Services& services, const Flow& flow, const Subflows& subflows = {});

/// Parameters as people are shown them: a file as {path, sha256, size}, a secret as "secret".
Value shown_parameters(const Value& params, const Flow& flow);

}  // namespace amp
