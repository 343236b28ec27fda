#pragma once

namespace amp::test {

/// What linear work on a large flow may take, in seconds of CPU: far above what it takes, far below what
/// quadratic work would. Sanitizers slow everything.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double k_linear_seconds = 30;
#else
inline constexpr double k_linear_seconds = 2;
#endif

}  // namespace amp::test
