#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// A flow file that another one runs as a step, loaded and validated. Its key is its path from the project's
/// folder.
struct Subflow {
    Flow flow;
    Graph graph;
    Value config = Object{};
    std::vector<std::string> uses;  ///< keys of the files that it runs itself
};
using Subflows = std::map<std::string, Subflow>;

/// A run's child is at depth 1.
inline constexpr std::size_t k_max_depth = 8;

/// The key of the file that `named` means in a flow whose own key is `from`; nullopt: it lies outside of the
/// project. @param folder of the project, absolute, for names that are absolute
std::optional<std::string> subflow_key(std::string_view folder, std::string_view from,
                                       std::string_view named);

/// Where sub-flows come from.
struct SubflowSource {
    std::string folder;  ///< of the project, absolute
    std::string key;     ///< of the flow itself
    /// The text of a file; nullopt: there is none inside the project.
    std::function<std::optional<std::string>(const std::string& key)> read;
    /// The values of a flow's [config].
    std::function<Value(const Flow&, Diagnostics&)> config;
    Value overrides;  ///< as load_flow takes them
};

/// Loads and validates all files that the steps of `flow` run, and those that these run; and checks what each
/// is given and asked for: AMP1701 to AMP1705. Mistakes in them carry their file. Each file is loaded once.
Subflows load_subflows(const Flow& flow, const SubflowSource& source, Diagnostics& diagnostics);

/// "step.artifact", as an output of a sub-flow step names it.
struct SubflowOutput {
    std::string step;
    std::string artifact;
};
SubflowOutput parse_subflow_output(std::string_view text);

}  // namespace amp
