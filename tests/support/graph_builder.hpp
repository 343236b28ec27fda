#pragma once

#include <string>
#include <string_view>

#include "core/flow/graph.hpp"

namespace amp::test {

/// A graph from a line: steps separated by `;`, each `NAME: words`. The words: `needs a,b?` (`?`: a condition
/// on the edge), `foreach`, `join`, `join=STEP`, `when`, `each` (a `when` for each item), `cleanup`,
/// `repeat=N`, `until`, `ok` (on_max), `catch`, `retry=N`, `delay=S`, `backoff=F`, `max_delay=S`, `jitter=F`,
/// `on=user+oom`, `limit=N`, `priority=N`.
///     "a; b: needs a foreach retry=1; c: needs b join"
/// @throws std::invalid_argument for what it does not understand, and for stacks that do not fit
Graph graph_of(std::string_view text);

/// Fills what follows from the nodes' names, needs (from, conditional), foreach, joins and cleanup: order,
/// stacks, closes, next, at_end. Steps must follow what they need. Independent of core/flow/graph.cpp.
/// @param join_steps by step: the step to be closed, empty for the innermost
/// @return false when stacks do not fit
bool link(Graph& graph, const std::vector<std::string>& join_steps);

/// The graph as graph_of reads it: for messages of failed tests.
std::string text_of(const Graph& graph);

}  // namespace amp::test
