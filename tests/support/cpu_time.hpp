// The processor time of this thread: what a test of "no time" looks at, since a loaded machine does not slow
// it down.
#pragma once

#include <ctime>

namespace amp {

// Seconds of processor time that the calling thread has used so far.
inline double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// So much longer a build with sanitizers may take.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double k_slower = 10;
#else
inline constexpr double k_slower = 1;
#endif

}  // namespace amp
