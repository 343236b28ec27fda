#include "backends/system/machine.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "backends/system/proc_stat.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::string_view k_mount = "/sys/fs/cgroup";
constexpr std::uint64_t k_unlimited = std::uint64_t{1} << 60;  // v1 says "not limited" with a huge number

std::string read_small(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::uint64_t parse_number(std::string_view text) {
    std::uint64_t n = 0;
    text = trim(text);
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

/// Calls `each` with every folder from our group up to the mount: a limit above us binds us too. Inside a
/// container /proc names a path that is not mounted there, and the mount itself is our group.
template <class F>
void for_each_group(const std::string& controller, F each) {
    const std::string mount =
        controller.empty() ? std::string(k_mount) : fmt::format("{}/{}", k_mount, controller);
    std::string group = parse_cgroup(read_small("/proc/self/cgroup"), controller);
    while (group.size() > 1) {
        each(mount + group);
        group.resize(group.rfind('/'));
    }
    each(mount);
}

void lower_to(std::uint64_t& limit, std::uint64_t other) {
    if (other != 0 && other < k_unlimited && (limit == 0 || other < limit)) {
        limit = other;
    }
}

double cpu_quota() {
    double quota = 0;
    const auto take = [&quota](double other) {
        if (other > 0 && (quota == 0 || other < quota)) {
            quota = other;
        }
    };
    for_each_group("",
                   [&](const std::string& folder) { take(parse_cpu_max(read_small(folder + "/cpu.max"))); });
    for_each_group("cpu", [&](const std::string& folder) {
        const std::string period = read_small(folder + "/cpu.cfs_period_us");
        take(parse_cpu_max(read_small(folder + "/cpu.cfs_quota_us") + " " + period));
    });
    return quota;
}

/// Where our memory group counts its kills; empty: nowhere.
std::string counting_file() {
    const std::string groups = read_small("/proc/self/cgroup");
    const std::string v1 = parse_cgroup(groups, "memory");
    for (std::string path :
         {fmt::format("{}{}/memory.events", k_mount, parse_cgroup(groups, "")),
          fmt::format("{}/memory{}/memory.oom_control", k_mount, v1),
          fmt::format("{}/memory.events", k_mount), fmt::format("{}/memory/memory.oom_control", k_mount)}) {
        if (read_small(path).find("oom_kill ") != std::string::npos) {
            return path;
        }
    }
    return {};
}

}  // namespace

double parse_cpu_max(const std::string& text) {
    std::istringstream words(text);
    std::string quota;
    double period = 0;
    words >> quota >> period;
    const std::uint64_t n = parse_number(quota);  // "max" and "-1" give 0
    return n == 0 || period <= 0 ? 0 : static_cast<double>(n) / period;
}

std::uint64_t parse_counter(const std::string& text, const std::string& key) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
            return parse_number(line.substr(key.size()));
        }
    }
    return 0;
}

std::string parse_cgroup(const std::string& text, const std::string& controller) {
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) {
            continue;
        }
        const auto names = split(line.substr(first + 1, second - first - 1), ',');
        if (std::find(names.begin(), names.end(), controller) != names.end()) {
            return std::string(line.substr(second + 1));
        }
    }
    return {};
}

Machine measure_machine() {
    Machine machine;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    const int count = sched_getaffinity(0, sizeof cpus, &cpus) == 0
                          ? CPU_COUNT(&cpus)
                          : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));  // more than 1024 of them
    machine.cpu = std::max(1, count);
    if (const double quota = cpu_quota(); quota > 0) {
        machine.cpu = std::min(machine.cpu, std::max(1.0, quota));
    }
    machine.memory_bytes = parse_counter(read_small("/proc/meminfo"), "MemTotal:") * 1024;
    for_each_group("", [&](const std::string& folder) {
        lower_to(machine.memory_bytes, parse_number(read_small(folder + "/memory.max")));
    });
    for_each_group("memory", [&](const std::string& folder) {
        lower_to(machine.memory_bytes, parse_number(read_small(folder + "/memory.limit_in_bytes")));
    });
    return machine;
}

std::uint64_t count_oom_kills() {
    const std::string file = counting_file();
    return file.empty() ? 0 : parse_counter(read_small(file), "oom_kill");
}

std::optional<std::uint64_t> parse_group_memory(const std::string& usage, const std::string& stat) {
    const std::uint64_t all = parse_number(usage);
    if (all == 0) {
        return std::nullopt;
    }
    const std::uint64_t with_children = parse_counter(stat, "total_inactive_file");  // v1
    const std::uint64_t spare = with_children != 0 ? with_children : parse_counter(stat, "inactive_file");
    return all - std::min(all, spare);
}

std::optional<std::uint64_t> group_memory(std::int64_t pid) {
    const std::string groups = read_small(fmt::format("/proc/{}/cgroup", pid));
    const std::string ours = read_small("/proc/self/cgroup");
    for (const char* controller : {"memory", ""}) {
        const bool first = *controller != '\0';
        const std::string group = parse_cgroup(groups, controller);
        if (group.empty() || group == parse_cgroup(ours, controller)) {
            continue;
        }
        const std::string folder = fmt::format("{}{}{}", k_mount, first ? "/memory" : "", group);
        const std::string usage = read_small(folder + (first ? "/memory.usage_in_bytes" : "/memory.current"));
        if (const auto bytes = parse_group_memory(usage, read_small(folder + "/memory.stat"))) {
            return bytes;
        }
    }
    return std::nullopt;
}

bool are_all_among(const std::string& lines, const std::set<std::int64_t>& numbers) {
    for (const std::string_view line : split(trim(lines), '\n')) {
        if (!numbers.contains(static_cast<std::int64_t>(parse_number(line)))) {
            return false;
        }
    }
    return true;
}

bool has_own_group() {
    const std::string file = counting_file();
    if (file.empty()) {
        return false;
    }
    std::set<std::int64_t> ours;
    for (pid_t pid = getpid(); pid > 0 && ours.insert(pid).second;) {
        const std::optional<ProcStat> stat = read_proc_stat(pid);
        pid = stat ? stat->parent : 0;
    }
    const std::string processes = read_small(file.substr(0, file.rfind('/')) + "/cgroup.procs");
    return !processes.empty() && are_all_among(processes, ours);
}

}  // namespace amp
