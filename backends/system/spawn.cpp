#include "backends/system/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "core/base/text.hpp"

// clone(2) by glibc's other name: the thread sanitizer takes `clone` for a fork, and then looks away from a
// parent whose memory is shared.
extern "C" int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept;  // NOLINT

namespace amp {
namespace {

constexpr unsigned k_close_range_cloexec = 1U << 2;
constexpr std::size_t k_stack = std::size_t{64} << 10;

/// What parent and child share while the parent is suspended.
struct Shared {
    const SpawnRequest& request;
    pid_t parent = -1;
    volatile SpawnStep failed = SpawnStep::none;
    volatile int error = 0;
};

// The child goes straight to the kernel: libc's own functions, and those of sanitizers, keep notes in the
// memory that it shares with its parent, and would leave them there when it execs or exits.

[[noreturn, gnu::no_sanitize_address, gnu::no_sanitize_thread]] void give_up(Shared& shared, SpawnStep step) {
    shared.error = errno;
    shared.failed = step;
    for (;;) {
        syscall(SYS_exit_group, 127);
    }
}

[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] void reset_signals() {
    // The kernel's struct sigaction: SIG_DFL, no flags, an empty mask. KILL and STOP refuse, harmlessly.
    const unsigned long standard[4] = {};
    const std::uint64_t none = 0;
    for (int signal = 1; signal < 32; ++signal) {
        syscall(SYS_rt_sigaction, signal, standard, nullptr, sizeof none);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

// The child's half.
[[gnu::no_sanitize_address, gnu::no_sanitize_thread]] int run_child(void* argument) {
    Shared& shared = *static_cast<Shared*>(argument);
    const SpawnRequest& request = shared.request;
    if ((request.own_group && syscall(SYS_setpgid, 0, 0) != 0) ||
        syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        give_up(shared, SpawnStep::setup);
    }
    if (syscall(SYS_getppid) != shared.parent) {  // it died before the prctl
        give_up(shared, SpawnStep::orphaned);
    }
    if ((request.input >= 0 && syscall(SYS_dup2, request.input, 0) < 0) ||
        (request.output >= 0 &&
         (syscall(SYS_dup2, request.output, 1) < 0 || syscall(SYS_dup2, request.output, 2) < 0)) ||
        (request.error >= 0 && syscall(SYS_dup2, request.error, 2) < 0)) {
        give_up(shared, SpawnStep::setup);
    }
    // Where the kernel is older: all of ours are close-on-exec anyway.
    syscall(SYS_close_range, 3U, ~0U, k_close_range_cloexec);
    if (request.cwd != nullptr && syscall(SYS_chdir, request.cwd) != 0) {
        give_up(shared, SpawnStep::cwd);
    }
    if (request.open_files != nullptr) {
        syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, request.open_files, nullptr);
    }
    reset_signals();
    syscall(SYS_execve, request.program, request.argv, request.env);
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
    // vfork with a stack of its own, as posix_spawn does it: we are suspended until the child execs or exits.
    alignas(16) char stack[k_stack];
    const pid_t pid = __clone(run_child, stack + k_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &shared);
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
