#pragma once

#include <string_view>

namespace amp {

/// A path that means what was opened already, as a shell's <(COMMAND) gives it: a pipe, read once. It has no
/// place that could be recorded, and its name says nothing of its form.
inline bool names_stream(std::string_view path) {
    return path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/") || path == "/dev/stdin";
}

}  // namespace amp
