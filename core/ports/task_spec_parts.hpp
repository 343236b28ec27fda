#pragma once

#include "core/ports/task_spec.hpp"

namespace amp {

// Parts of a spec as JSON: for task_spec.cpp alone.

Value to_value(const Monitor& monitor);
Monitor monitor_from(const Value& value);
Value to_value(const PythonEnvironment& environment);
/// @throws Error(mismatch) where it is of a tool that we do not know
PythonEnvironment environment_from(const Value& value);

}  // namespace amp
