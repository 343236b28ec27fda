#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/diagnostic.hpp"
#include "core/flow/model.hpp"

namespace amp {

using StepId = std::uint32_t;

/// A flow's graph, resolved: steps by number in the order of the file, needs as edges, and for each step its
/// stack.
struct Graph {
    struct Edge {
        StepId from = 0;
        bool conditional = false;  ///< has a `when` of its own
        /// How many of the innermost levels of `from`'s stack this need closes (0: none).
        std::uint32_t closes = 0;
    };
    struct Node {
        std::string name;
        std::vector<Edge> needs;
        std::vector<StepId> next;
        /// The open foreach steps, outermost first, of this step's tasks. A foreach step has itself as the
        /// last.
        std::vector<StepId> stack;
        bool foreach = false;
        bool joins = false;
        bool when = false;           ///< has `when`
        bool when_per_item = false;  ///< foreach, and `when` mentions the item
        bool cleanup = false;        ///< its `when` has failed() or always()
        bool at_end = false;         ///< clean-up without needs: after every other step
        bool wait = false;           ///< for people or the world, when all else is decided
        bool repeat = false;
        bool until = false;
        std::uint32_t max_rounds = 0;
        bool on_max_ok = false;
        bool caught = false;
        RetryPolicy retry;
        std::uint32_t limit = 0;  ///< 0: none; filled by the run, when evaluated
        std::int32_t priority = 0;
    };
    std::vector<Node> nodes;
    std::vector<StepId> order;  ///< topological; among equals the order of the file

    std::vector<StepId> by_name;  ///< all steps, sorted by name: what id() looks in

    /// Steps that lost a need, or what their join closes, to a mistake, and all behind them: what else seems
    /// wrong with these may be due to that.
    std::vector<bool> doubtful;

    StepId id(std::string_view name) const;  ///< nodes.size() when there is none
};

/// Builds the graph and reports cycles, unknown needs and incompatible stacks (both shown). On errors the
/// graph is what could be built, with the offending edges left out.
Graph build_graph(const Flow& flow, Diagnostics& diagnostics);

}  // namespace amp
