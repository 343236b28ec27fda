#include "backends/system/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr unsigned k_close_range_cloexec = 1U << 2;

/// What parent and child share while the parent is suspended.
struct Shared {
    const SpawnRequest& request;
    pid_t parent;
    volatile SpawnStep failed = SpawnStep::none;
    volatile int error = 0;
};

[[noreturn]] void give_up(Shared& shared, SpawnStep step) {
    shared.error = errno;
    shared.failed = step;
    _exit(127);
}

void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int signal = 1; signal < 32; ++signal) {
        sigaction(signal, &action, nullptr);  // KILL and STOP refuse, harmlessly
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The child's half. It runs in the parent's memory: system calls only.
[[noreturn]] void run_child(Shared& shared) {
    const SpawnRequest& request = shared.request;
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        give_up(shared, SpawnStep::setup);
    }
    if (getppid() != shared.parent) {  // it died before the prctl
        give_up(shared, SpawnStep::orphaned);
    }
    if (dup2(request.input, 0) < 0 || dup2(request.output, 1) < 0 || dup2(request.output, 2) < 0) {
        give_up(shared, SpawnStep::setup);
    }
    syscall(SYS_close_range, 3U, ~0U,
            k_close_range_cloexec);  // older kernels: all of ours are close-on-exec anyway
    if (request.cwd != nullptr && chdir(request.cwd) != 0) {
        give_up(shared, SpawnStep::cwd);
    }
    if (request.open_files != nullptr) {
        setrlimit(RLIMIT_NOFILE, request.open_files);
    }
    reset_signals();
    execve(request.program, request.argv, request.env);
    give_up(shared, SpawnStep::exec);
}

bool is_file(const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

SpawnOutcome spawn(const SpawnRequest& request) {
    Shared shared{request, getpid()};
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    // No handler of ours may run in the child, which shares our memory.
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const pid_t pid = vfork();
    if (pid == 0) {
        run_child(shared);
    }
    const int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) {
        return {-1, SpawnStep::fork, fork_error};
    }
    if (shared.failed != SpawnStep::none) {
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        return {-1, shared.failed, shared.error};
    }
    return {pid, SpawnStep::none, 0};
}

std::string find_program(std::string_view program, std::string_view path, std::string_view cwd,
                         std::string& found_unusable) {
    if (program.empty() || program.find('/') != std::string_view::npos) {
        return std::string(program);
    }
    std::string candidate;
    for (const std::string_view folder : split(path, ':')) {
        candidate.clear();
        if (folder.empty() || folder.front() != '/') {
            candidate.append(cwd).append("/");
        }
        candidate.append(folder).append(folder.empty() ? "" : "/").append(program);
        if (access(candidate.c_str(), F_OK) != 0 || !is_file(candidate)) {
            continue;
        }
        if (access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
        found_unusable = candidate;
    }
    return {};
}

}  // namespace amp
