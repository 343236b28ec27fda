#pragma once

namespace amp {

/// What `amp --version` says and run records keep.
inline constexpr const char* k_version = "0.1.0";
/// The day of that version, as manual pages show it.
inline constexpr const char* k_version_date = "November 20, 2026";

}  // namespace amp
