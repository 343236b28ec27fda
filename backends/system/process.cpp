#include "backends/system/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <memory>

#include "backends/system/event_loop.hpp"
#include "core/base/error.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::size_t k_max_environ = std::size_t{8} << 20;
constexpr std::string_view k_token = "AMP_TOKEN=";
constexpr double k_kill_patience_s = 30;

bool read_whole(const std::string& path, std::string& out) {
    out.clear();
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return false;
    }
    char buffer[16384];
    while (out.size() < k_max_environ) {
        const ssize_t n = read(fd.get(), buffer, sizeof buffer);
        if (n <= 0) {
            return n == 0;
        }
        out.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
    while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {
        pid_t pid = 0;
        const char* end = entry->d_name + std::strlen(entry->d_name);
        const auto parsed = std::from_chars(entry->d_name, end, pid);
        if (parsed.ec == std::errc() && parsed.ptr == end) {
            pids.push_back(pid);
        }
    }
    return pids;
}

pid_t parent_of(pid_t pid) {
    std::string stat;
    if (!read_whole(fmt::format("/proc/{}/stat", pid), stat)) {
        return -1;
    }
    const std::size_t name_end = stat.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos || name_end + 4 >= stat.size()) {
        return -1;
    }
    pid_t parent = -1;
    std::from_chars(stat.data() + name_end + 4, stat.data() + stat.size(), parent);
    return parent;
}

}  // namespace

std::string signal_name(int signal) {
    if (const char* name = sigabbrev_np(signal)) {
        return name;
    }
    if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
        return fmt::format("RTMIN+{}", signal - SIGRTMIN);
    }
    return std::to_string(signal);
}

std::vector<pid_t> own_children() {
    std::vector<pid_t> children;
    std::string text;
    if (read_whole(fmt::format("/proc/self/task/{}/children", gettid()), text)) {
        const char* at = text.data();
        const char* end = at + text.size();
        while (at < end) {
            pid_t pid = 0;
            const auto parsed = std::from_chars(at, end, pid);
            if (parsed.ec != std::errc()) {
                break;
            }
            children.push_back(pid);
            at = std::find_if(parsed.ptr, end, [](char c) { return c != ' ' && c != '\n'; });
        }
        return children;
    }
    for (const pid_t pid : all_processes()) {  // a kernel without CONFIG_PROC_CHILDREN
        if (parent_of(pid) == getpid()) {
            children.push_back(pid);
        }
    }
    return children;
}

std::string process_token(pid_t pid) {
    std::string environ_block;
    if (!read_whole(fmt::format("/proc/{}/environ", pid), environ_block)) {
        return {};
    }
    std::size_t at = 0;
    while (at < environ_block.size()) {
        const std::size_t end = std::min(environ_block.find('\0', at), environ_block.size());
        const std::string_view entry = std::string_view(environ_block).substr(at, end - at);
        if (entry.starts_with(k_token)) {
            return std::string(entry.substr(k_token.size()));
        }
        at = end + 1;
    }
    return {};
}

std::vector<pid_t> processes_with_token(const std::set<std::string>& tokens) {
    std::vector<pid_t> found;
    for (const pid_t pid : all_processes()) {
        const std::string token = pid == getpid() ? std::string() : process_token(pid);
        if (!token.empty() && tokens.contains(token)) {
            found.push_back(pid);
        }
    }
    return found;
}

void kill_processes_with_token(const std::set<std::string>& tokens) {
    if (tokens.empty()) {
        return;
    }
    const double deadline = steady_now() + k_kill_patience_s;
    while (true) {
        // A pidfd holds the process, not its number: what we wait for is what we looked at.
        std::vector<UniqueFd> dying;
        const std::vector<pid_t> found = processes_with_token(tokens);
        for (const pid_t pid : found) {
            UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
            if (pidfd && tokens.contains(process_token(pid))) {  // and not one that has its number since
                syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
                dying.push_back(std::move(pidfd));
            } else if (!pidfd && errno == ENOSYS) {
                kill(pid, SIGKILL);
            }
        }
        if (found.empty()) {
            return;
        }
        if (steady_now() > deadline) {
            throw Error(ExitCode::infrastructure,
                        fmt::format("process {} of an earlier attempt cannot be killed", found[0]));
        }
        for (const UniqueFd& pidfd : dying) {
            pollfd wait{pidfd.get(), POLLIN, 0};
            poll(&wait, 1, 1000);
        }
    }
}

bool process_group_lives(pid_t group) {
    return kill(-group, 0) == 0 || errno == EPERM;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) {
        return "localhost";
    }
    return name.data();
}

}  // namespace amp
