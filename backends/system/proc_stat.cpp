#include "backends/system/proc_stat.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "backends/system/process.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

// Behind the name, counted from the state on.
constexpr std::size_t k_state = 0;
constexpr std::size_t k_parent = 1;
constexpr std::size_t k_group = 2;
constexpr std::size_t k_user = 11;
constexpr std::size_t k_system = 12;
constexpr std::size_t k_waited_user = 13;
constexpr std::size_t k_waited_system = 14;
constexpr std::size_t k_began = 19;
constexpr std::size_t k_rss = 21;

template <class T>
bool take(std::string_view text, T& number) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string read_small(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::vector<std::string_view> parts = split(trim(text.substr(name_end + 1)), ' ');
    ProcStat stat;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::uint64_t waited_user = 0;
    std::uint64_t waited_system = 0;
    if (parts.size() <= k_rss || parts[k_state].size() != 1 || !take(parts[k_parent], stat.parent) ||
        !take(parts[k_group], stat.group) || !take(parts[k_user], user) || !take(parts[k_system], system) ||
        !take(parts[k_waited_user], waited_user) || !take(parts[k_waited_system], waited_system) ||
        !take(parts[k_began], stat.began) || !take(parts[k_rss], stat.rss_pages)) {
        return std::nullopt;
    }
    stat.state = parts[k_state].front();
    stat.cpu_ticks = user + system;
    stat.waited_ticks = waited_user + waited_system;
    return stat;
}

std::optional<ProcStat> read_proc_stat(pid_t pid) {
    return parse_proc_stat(read_small(fmt::format("/proc/{}/stat", pid)));
}

ProcessIdentity own_identity() {
    ProcessIdentity self;
    self.host = host_name();
    self.boot = std::string(trim(read_small("/proc/sys/kernel/random/boot_id")));
    std::error_code unknown;
    self.pid_space = std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string();
    self.pid = getpid();
    const std::optional<ProcStat> stat = read_proc_stat(getpid());
    self.began = stat ? stat->began : 0;
    return self;
}

bool lives(const ProcessIdentity& process) {
    const std::optional<ProcStat> stat = read_proc_stat(static_cast<pid_t>(process.pid));
    return stat && stat->lives() && stat->began == process.began;
}

}  // namespace amp
