#pragma once

#include <vector>

#include "core/python/dataflow.hpp"

namespace amp::python {

/// What the file does to the class beside defining it, which reading cannot follow: a metaclass, bases of
/// other modules, star imports that it may depend on, `setattr(F, …)`, steps that a loop makes.
void find_undecided(const Methods& methods, std::vector<Undecided>& out);

}  // namespace amp::python
