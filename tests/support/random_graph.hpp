#pragma once

#include <random>

#include "core/flow/graph.hpp"

namespace amp::test {

/// A small graph with any of the features, whose stacks fit.
Graph random_graph(std::mt19937_64& random);

}  // namespace amp::test
