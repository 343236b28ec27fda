#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

// Parts of a spec as JSON: for task_spec.cpp alone.

template <class E, std::size_t N>
std::optional<E> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) {
            return static_cast<E>(i);
        }
    }
    return std::nullopt;
}

/// As find_name; an unknown name is a record that we cannot obey.
template <class E, std::size_t N>
E need_name(const std::array<std::string_view, N>& names, const std::string& name, std::string_view what) {
    const auto found = find_name<E>(names, name);
    if (!found) {
        throw Error(ExitCode::mismatch, std::string(what) + " '" + name + "' is unknown");
    }
    return *found;
}

/// @throws Error(mismatch) where it is none that we know
Launcher launcher_from(const std::string& name);
Value to_value(const TaskOutput& output);
TaskOutput output_from(const Value& value);
Value to_value(const Monitor& monitor);
Monitor monitor_from(const Value& value);
Value to_value(const PythonEnvironment& environment);
/// @throws Error(mismatch) where it is of a tool that we do not know
PythonEnvironment environment_from(const Value& value);

}  // namespace amp
