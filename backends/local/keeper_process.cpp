#include "backends/local/keeper_process.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <memory>

namespace amp {
namespace {

constexpr double k_kill_patience_s = 5;

/// Does the process hold the file open for writing?
bool writes(pid_t pid, const std::string& path) {
    struct stat wanted {};
    if (stat(path.c_str(), &wanted) != 0) {
        return false;
    }
    const std::string folder = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> open_files(opendir(folder.c_str()), closedir);
    while (const dirent* entry = open_files ? readdir(open_files.get()) : nullptr) {
        const std::string link = fmt::format("{}/{}", folder, entry->d_name);
        struct stat of_link {};
        struct stat of_file {};
        // The link's own mode says how the file was opened.
        if (lstat(link.c_str(), &of_link) == 0 && (of_link.st_mode & S_IWUSR) != 0 &&
            stat(link.c_str(), &of_file) == 0 && of_file.st_dev == wanted.st_dev &&
            of_file.st_ino == wanted.st_ino) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::optional<KeeperProcess> KeeperProcess::find(const KeeperHistory& history, const std::string& log) {
    const auto pid = static_cast<pid_t>(history.pid);
    if (pid <= 1 || pid == getpid()) {
        return std::nullopt;
    }
    UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd || !writes(pid, log)) {
        return std::nullopt;
    }
    KeeperProcess found(std::move(pidfd));
    // Still there: then it was this one that we looked at.
    return found.wait(0) ? std::nullopt : std::optional(std::move(found));
}

void KeeperProcess::signal(int number) const {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0);
}

bool KeeperProcess::wait(double seconds) const {
    pollfd wait{pidfd_.get(), POLLIN, 0};
    int n = 0;
    do {
        n = poll(&wait, 1, static_cast<int>(std::ceil(seconds * 1000)));
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

bool end_keeper(const KeeperHistory& history, const std::string& log, double patience_s) {
    const auto keeper = KeeperProcess::find(history, log);
    if (!keeper) {
        return false;
    }
    keeper->signal(SIGTERM);
    if (keeper->wait(patience_s)) {
        return true;
    }
    keeper->signal(SIGKILL);
    return keeper->wait(k_kill_patience_s);
}

void ask_for_socket(const KeeperHistory& history, const std::string& log) {
    if (const auto keeper = KeeperProcess::find(history, log)) {
        keeper->signal(SIGHUP);
    }
}

}  // namespace amp
