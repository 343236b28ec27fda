#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "backends/system/proc_stat.hpp"

namespace amp {

struct ScannedProcess {
    pid_t pid = 0;
    ProcStat stat;
};

/// All processes that there are, in one pass: three calls of the kernel for each. Those that end meanwhile,
/// or that we may not look at, are left out. Empty when it cannot be looked now (no descriptors).
std::vector<ScannedProcess> scan_processes(const std::string& proc = "/proc");

/// /proc/PID/io; empty: it is gone, or not ours to look at.
std::string read_process_io(pid_t pid);

/// Clock ticks of a ProcStat as seconds, and pages as bytes.
double tick_seconds(std::uint64_t ticks);
std::uint64_t page_bytes(std::uint64_t pages);

}  // namespace amp
