#pragma once

#include <string_view>

#include "core/flow/diagnostic.hpp"
#include "core/python/python_flow.hpp"

namespace amp::python {

/// Reads a Python file with a flow, without running any of it. What is no valid Python is told to
/// `diagnostics`; all else is recorded for others to judge. `wanted` chooses one of several flow classes.
PythonFlow read_python_flow(std::string_view text, Diagnostics& diagnostics, std::string_view wanted = {});

}  // namespace amp::python
