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

/// True for what says nothing of the file that was to be opened.
bool is_want_of_resources(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

bool read_to_end(int fd, std::string& out) {
    out.clear();
    char buffer[16384];
    while (out.size() < k_max_environ) {
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0) {
            return n == 0;
        }
        out.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
}

/// False when it does not exist or is not ours to read. @throws Error when it cannot be opened now
bool read_whole(const std::string& path, std::string& out) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && is_want_of_resources(errno)) {
        throw Error::system("open", path, errno);
    }
    return fd && read_to_end(fd.get(), out);
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> pids;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
    if (!proc && is_want_of_resources(errno)) {
        throw Error::system("open", "/proc", errno);
    }
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

struct Ancestry {
    char state = 'X';
    pid_t parent = -1;
    pid_t group = -1;
};

Ancestry ancestry_of(pid_t pid) {
    Ancestry found;
    std::string stat;
    if (!read_whole(fmt::format("/proc/{}/stat", pid), stat)) {
        return found;
    }
    const std::size_t name_end = stat.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos || name_end + 4 >= stat.size()) {
        return found;
    }
    const char* end = stat.data() + stat.size();
    found.state = stat[name_end + 2];
    const auto parent = std::from_chars(stat.data() + name_end + 4, end, found.parent);
    if (parent.ptr != end) {
        std::from_chars(parent.ptr + 1, end, found.group);
    }
    return found;
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

ChildList::ChildList()
    : file_(open(fmt::format("/proc/self/task/{}/children", gettid()).c_str(), O_RDONLY | O_CLOEXEC)) {}

std::vector<pid_t> ChildList::read() {
    std::vector<pid_t> children;
    if (file_ && lseek(file_.get(), 0, SEEK_SET) == 0 && read_to_end(file_.get(), text_)) {
        const char* at = text_.data();
        const char* end = at + text_.size();
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
        if (ancestry_of(pid).parent == getpid()) {
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

bool group_has_others(pid_t group) {
    const std::vector<pid_t> all = all_processes();
    return std::any_of(all.begin(), all.end(), [group](pid_t pid) {
        const Ancestry found = ancestry_of(pid);
        return pid != group && found.group == group && found.state != 'Z' && found.state != 'X';
    });
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) {
        return "localhost";
    }
    return name.data();
}

}  // namespace amp
