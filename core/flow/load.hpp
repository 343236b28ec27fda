#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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

/// What a machine can give at most; nullopt: not known. A static request beyond it is an error: AMP1601 to
/// AMP1603, AMP1607.
struct MachineLimits {
    std::optional<double> cpu;
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::uint32_t> gpu;
};
void validate_requests(const Flow& flow, const MachineLimits& limits, Diagnostics& diagnostics);

/// Where a flow would run, as far as its expressions ask for it. What is not set is not asked.
struct FlowSurroundings {
    std::function<bool(const std::string&)> has_variable;   ///< of the environment
    std::function<bool()> has_git;                          ///< is `git.…` known? Asked once at most
    std::function<bool(const std::string&)> has_file = {};  ///< from the project's folder
};
/// Variables that are not set and `git` outside of a work tree, each told once: AMP1604, AMP1605; and
/// secrets that are not there: AMP1606, which the start of a run looks up itself. A warning, since the flow
/// may run elsewhere. An error: files of environments that are not there, AMP1609.
/// @param starting it runs here and now: then what surely fails is an error; where default(), exists(), a
/// condition, a foreach or a catch may keep it from failing, it stays a warning
void validate_surroundings(const Flow& flow, const Graph& graph, const FlowSurroundings& surroundings,
                           bool starting, Diagnostics& diagnostics);

}  // namespace amp
