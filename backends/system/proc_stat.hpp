#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/process_identity.hpp"

namespace amp {

/// What /proc/PID/stat tells.
struct ProcStat {
    char state = '?';  ///< R, S, D, T, Z, X
    pid_t parent = 0;
    pid_t group = 0;
    std::uint64_t cpu_ticks = 0;     ///< user and system, of its threads that live and lived
    std::uint64_t waited_ticks = 0;  ///< the same of the children that it has waited for, and of theirs
    std::uint64_t began = 0;         ///< in clock ticks since the boot
    std::uint64_t rss_pages = 0;

    bool lives() const { return state != 'Z' && state != 'X'; }
};
/// nullopt: it is no such text. The name of a program may hold anything, parentheses too.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

/// nullopt: there is no such process, or it may not be looked at.
std::optional<ProcStat> read_proc_stat(pid_t pid);

/// Who we are.
ProcessIdentity own_identity();
/// Of a process near us: does it live? A zombie does not.
bool lives(const ProcessIdentity& process);

}  // namespace amp
