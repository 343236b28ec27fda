#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// Loads flow.toml. All mistakes of form go to `diagnostics`, and what could be understood is in the flow, so
/// that validate() can go on. Linear in the size of `text`; at most 8 MiB of it.
/// @param path as the user gave it, for messages
/// @param overrides step keys from the profile in amp.toml ([profile.P.step.S]): {step: {key: value}}; null:
/// none
Flow load_flow(std::string_view text, std::string path, Diagnostics& diagnostics,
               const Value& overrides = {});

/// A key that is understood and checked, but not acted upon by this version.
struct LaterKey {
    std::string key;  ///< "step.train.nodes", "flow.schedule"
    Place place;
};
/// All of them, in the order of the file, so that a run can say so.
std::vector<LaterKey> keys_not_acted_upon(const Flow& flow);

/// All rules beyond form: graph (unknown needs, cycles, stacks, joins, clean-up), references (unknown
/// parameters, artifacts that nobody makes, lost at a join, out of reach), names, retry, repeat. Linear in
/// the size of the flow.
/// @param config the files of [config] as read: then config.NAME.key is looked up too; null: not known
/// @return the graph, as build_graph gives it
Graph validate(const Flow& flow, Diagnostics& diagnostics, const Value& config = {});

/// What a machine or profile can give at most; 0 or an absent limit: unknown. A static request beyond it is
/// an error.
struct MachineLimits {
    double cpu = 0;
    std::uint64_t memory_bytes = 0;
    std::uint32_t gpu = 0;
    bool known = false;
};
void validate_requests(const Flow& flow, const MachineLimits& limits, Diagnostics& diagnostics);

}  // namespace amp
