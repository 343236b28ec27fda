#pragma once

#include <string_view>

namespace amp {

/// Whether a file's name says that it is a flow in Python: core/python reads those, and nothing runs them
/// yet.
inline bool is_python_flow(std::string_view path) {
    return path.ends_with(".py");
}

}  // namespace amp
