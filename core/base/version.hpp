#pragma once

namespace amp {

/// What `amp --version` says and run records keep.
inline constexpr const char* k_version = "0.1.0";

}  // namespace amp
