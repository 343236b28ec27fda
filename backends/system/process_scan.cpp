#include "backends/system/process_scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_text = 4096;  // of a file of numbers: they hold less

/// Straight from the kernel: a pass reads one such file for each process of the machine.
std::string_view read_small(int folder, const char* path, std::array<char, k_most_text>& buffer) {
    const UniqueFd file(openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    const ssize_t n = file ? read(file.get(), buffer.data(), buffer.size()) : 0;
    return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

}  // namespace

std::vector<ScannedProcess> scan_processes(const std::string& proc) {
    std::vector<ScannedProcess> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(proc.c_str()), closedir);
    std::array<char, k_most_text> buffer{};
    std::string path;
    while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
        const char* end = entry->d_name + std::strlen(entry->d_name);
        ScannedProcess process;
        const auto parsed = std::from_chars(entry->d_name, end, process.pid);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            continue;
        }
        path.assign(entry->d_name).append("/stat");
        if (const auto stat = parse_proc_stat(read_small(dirfd(folder.get()), path.c_str(), buffer))) {
            process.stat = *stat;
            found.push_back(process);
        }
    }
    return found;
}

std::string read_process_io(pid_t pid) {
    std::array<char, k_most_text> buffer{};
    return std::string(read_small(AT_FDCWD, fmt::format("/proc/{}/io", pid).c_str(), buffer));
}

double tick_seconds(std::uint64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::uint64_t page_bytes(std::uint64_t pages) {
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace amp
