#pragma once

#include <string>

namespace amp {

/// This very program, as it was started: also when its file was replaced since.
inline constexpr const char* k_own_program = "/proc/self/exe";

/// SHA-256 of it.
std::string own_binary_hash();

}  // namespace amp
