#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/value.hpp"

namespace amp {

/// `amp put` and `amp get` inside a task: the files in $AMP_OUT and $AMP_IN are the truth.

/// Writes `NAME.json` into `folder`, whole or not at all. What was put under that name before is replaced.
/// @throws Error(usage) when `name` is no artifact's name
void put_value(const std::string& folder, const std::string& name, const Value& value);
/// Copies a file or a folder into `folder` as `name`, whole or not at all.
/// @throws Error(usage), Error(not_found) when there is no `source`
void put_copy(const std::string& folder, const std::string& name, const std::string& source);

/// VALUE as `amp put` takes it: JSON where it is valid, else a string.
Value parse_put_value(const std::string& text);

/// What is laid in `folder` under NAME, STEP/NAME or STEP/I/NAME; also written as in an expression:
/// STEP.NAME, STEP[I].NAME.
struct TaskInputFile {
    bool is_value = false;
    Value value;       ///< of `NAME.json`
    std::string path;  ///< else the path of the file or folder
};
/// @throws Error(not_found) with a did-you-mean, Error(usage) for a name that leads elsewhere
TaskInputFile find_input(const std::string& folder, const std::string& asked);

/// The bytes of an input: of a file as they are, of a value as JSON. @throws Error(invalid) for a folder
void print_input(const TaskInputFile& input, const std::function<void(std::string_view)>& print);

/// Strings as they are, all else as JSON; with a newline.
std::string value_line(const Value& value);

}  // namespace amp
