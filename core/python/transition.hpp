#pragma once

#include <string_view>
#include <vector>

#include "core/python/names.hpp"

namespace amp::python {

/// What the call `self.next(…)` says, by the forms that Metaflow knows; whatever fits none is `invalid`, with
/// what is wrong about it.
Transition read_transition(const Names& names, NodeId call, std::string_view self);

/// All such calls in a function, in the order of the text, with what is around each.
std::vector<NextCall> read_next_calls(const Names& names, NodeId function, std::string_view self);

}  // namespace amp::python
