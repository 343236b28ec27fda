#pragma once

#include <string>

#include "core/python/dataflow.hpp"

namespace amp::python {

/// Fills in what the class of the flow has, by what each of its names means in the end: steps with their
/// dataflow, parameters, constants; and what of that only Python can tell.
void read_members(const Methods& methods, PythonFlow& flow);

/// The documentation of a function, class or module whose statements these are, without its indentation.
std::string doc_of(const Tree& tree, std::span<const NodeId> body);

}  // namespace amp::python
