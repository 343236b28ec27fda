#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/python/classes.hpp"

namespace amp::python {

Decorator read_decorator(const Names& names, NodeId expression);

/// The decorators of a function: `@step` apart from the others.
struct StepDecorators {
    bool is_step = false;
    Arguments step_arguments;
    std::vector<Decorator> others;  ///< from the top
};
StepDecorators read_step_decorators(const Names& names, NodeId function);

/// Why Python has to say what a decorator does to a flow or step, if reading does not tell. Of metaflow's
/// own, all is known but arguments that are computed; `add_computed` lists those.
std::optional<std::string> why_undecided(const Names& names, const Classes& classes,
                                         const Decorator& decorator);
void add_computed(const Decorator& decorator, std::string_view step, std::vector<Undecided>& out);

/// A module of Python's own whose decorators leave a method what it is.
bool is_harmless_module(std::string_view module);

}  // namespace amp::python
