#pragma once

#include <vector>

#include "core/flow/diagnostic.hpp"
#include "core/python/python_flow.hpp"

namespace amp::python {

/// Where the steps of a flow go, as numbers.
struct StepGraph {
    std::vector<std::vector<std::size_t>> next;    ///< each target once, in the order written
    std::vector<std::vector<std::size_t>> before;  ///< who goes there
    std::size_t first = 0;
    std::size_t last = 0;
};

/// Circles, steps that are never reached, splits and joins that do not match: AMP3012 to AMP3014. Of a graph
/// whose transitions are all known. Linear: each step and each edge is looked at once, however many ways
/// there are.
void validate_graph(const PythonFlow& flow, const StepGraph& graph, Diagnostics& diagnostics);

}  // namespace amp::python
