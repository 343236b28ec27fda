#pragma once

#include "core/flow/diagnostic.hpp"
#include "core/python/python_flow.hpp"

namespace amp::python {

/// The rules that a flow in Python keeps to: AMP3004 to AMP3016. What reading has not decided is given the
/// benefit of the doubt: of a flow whose steps are not all known, no step is called missing. Linear in the
/// size of the flow.
/// @param flow as read_python_flow gave it, from a file without errors
void validate_flow(const PythonFlow& flow, Diagnostics& diagnostics);

}  // namespace amp::python
