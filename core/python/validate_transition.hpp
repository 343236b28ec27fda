#pragma once

#include <string>

#include "core/flow/diagnostic.hpp"
#include "core/python/python_flow.hpp"

namespace amp::python {

/// That a step ends with its self.next: AMP3008.
/// @param demanded it is known not to be the last one
void transition_in_place(const PythonStep& step, bool demanded, Diagnostics& diagnostics);

/// That it has one of the forms that self.next has: AMP3009; and a switch two cases at least: AMP3015.
void transition_form(const PythonStep& step, Diagnostics& diagnostics);

/// "did you mean 'train'?" of the flow's steps, else `otherwise`.
std::string near_step(const PythonFlow& flow, const std::string& name, const std::string& otherwise = {});

}  // namespace amp::python
