#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace amp {

/// What this process may use of the machine: the CPUs of its affinity and its cgroup's quota; the memory of
/// the machine, or of its cgroup where that is less (cgroup v1 and v2).
struct Machine {
    double cpu = 1;
    std::uint64_t memory_bytes = 0;
};
Machine measure_machine();

/// How many processes of our cgroup the kernel has killed for want of memory; 0 when that cannot be known.
std::uint64_t count_oom_kills();
/// Is nobody in that cgroup but us and those who started us? Then whatever it kills was started by us.
bool has_own_group();
/// The memory of a process's control group without what the kernel could give up at once (files that were
/// read); nullopt: it has no group of its own, or that tells nobody.
std::optional<std::uint64_t> group_memory(std::int64_t pid);

// The pure halves, for tests.

/// "max 100000" or "150000 100000" (cpu.max) → CPUs; 0: not limited.
double parse_cpu_max(const std::string& text);
/// The number behind `key ` at the start of a line; 0 when there is none ("oom_kill 3", "MemTotal:  123 kB").
std::uint64_t parse_counter(const std::string& text, const std::string& key);
/// What a group holds, of its files `memory.current` (v1: usage_in_bytes) and `memory.stat`; nullopt: that is
/// no number.
std::optional<std::uint64_t> parse_group_memory(const std::string& usage, const std::string& stat);
/// Are all the numbers, one a line, among these?
bool are_all_among(const std::string& lines, const std::set<std::int64_t>& numbers);
/// The path of our group from /proc/self/cgroup, for a v1 controller or, when that is empty, for v2.
std::string parse_cgroup(const std::string& text, const std::string& controller);

}  // namespace amp
