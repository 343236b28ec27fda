// usage: kill_at [--fault CALLS ACTION] PROCESS N[+[K]] REPORT COMMAND...
//
// Runs COMMAND, and kills a process of it (SIGKILL) just before its N-th system call. PROCESS is `command`
// (COMMAND itself) or a word: the first process below it that is executed with this word as its first
// argument. N = 0 only counts. REPORT gets "CALLS HITS": the system calls seen, and how often it struck.
// Exits as COMMAND did (128 + signal).
//
// With --fault only CALLS count (names with commas between), and instead of the kill the N-th one fails:
// ACTION is the name of an error (EIO), with which the call comes back undone; or `short`: it does a third of
// what was asked for; or KILL: the process is killed all the same. CALLS@TEXT counts only those whose first
// argument is a descriptor of a path with TEXT in it. `N+` is the N-th and all that follow, `N+K` every K-th
// of those.
//
// Unlike strace's injection, which counts each kind of call for itself and attaches too late to a process
// that COMMAND starts, this sees every call from the exec on. All threads of the process count together.

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace {

constexpr int k_syscall_stop = SIGTRAP | 0x80;
constexpr long k_options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                           PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

std::string read_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// The process of a thread; 0 when it is gone.
pid_t process_of(pid_t thread) {
    const std::string status = read_file("/proc/" + std::to_string(thread) + "/status");
    const auto at = status.find("\nTgid:");
    return at == std::string::npos ? 0
                                   : static_cast<pid_t>(std::strtol(status.c_str() + at + 6, nullptr, 10));
}

std::string first_argument(pid_t process) {
    const std::string arguments = read_file("/proc/" + std::to_string(process) + "/cmdline");
    const auto end = arguments.find('\0');
    return end == std::string::npos ? "" : std::string(arguments.c_str() + end + 1);
}

/// What happens to which calls.
struct Fault {
    std::set<long> calls;  ///< empty: all of them
    std::string path;      ///< what the path of the first argument, a descriptor, has in it
    int error = 0;         ///< 0 with `is_short` unset: the process is killed
    bool is_short = false;
    std::uint64_t first = 0;
    std::uint64_t every = 0;  ///< 0: only the first

    bool strikes(std::uint64_t number) const {
        if (first == 0 || number < first) {
            return false;
        }
        return number == first || (every != 0 && (number - first) % every == 0);
    }
};

#if defined(__x86_64__)
const std::map<std::string_view, long> k_calls = {
    {"write", SYS_write},
    {"writev", SYS_writev},
    {"pwrite64", SYS_pwrite64},
    {"read", SYS_read},
    {"pread64", SYS_pread64},
    {"fsync", SYS_fsync},
    {"fdatasync", SYS_fdatasync},
    {"syncfs", SYS_syncfs},
    {"rename", SYS_rename},
    {"renameat", SYS_renameat},
    {"renameat2", SYS_renameat2},
    {"link", SYS_link},
    {"linkat", SYS_linkat},
    {"unlink", SYS_unlink},
    {"unlinkat", SYS_unlinkat},
    {"open", SYS_open},
    {"openat", SYS_openat},
    {"mkdir", SYS_mkdir},
    {"mkdirat", SYS_mkdirat},
    {"ftruncate", SYS_ftruncate},
    {"fallocate", SYS_fallocate},
    {"fcntl", SYS_fcntl},
    {"flock", SYS_flock},
    {"poll", SYS_poll},
    {"ppoll", SYS_ppoll},
    {"epoll_wait", SYS_epoll_wait},
    {"wait4", SYS_wait4},
    {"waitid", SYS_waitid},
    {"accept4", SYS_accept4},
    {"connect", SYS_connect},
    {"sendmsg", SYS_sendmsg},
    {"recvmsg", SYS_recvmsg},
    {"sendto", SYS_sendto},
    {"recvfrom", SYS_recvfrom},
    {"fork", SYS_fork},
    {"vfork", SYS_vfork},
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"pipe2", SYS_pipe2},
    {"socket", SYS_socket},
    {"mmap", SYS_mmap},
    {"brk", SYS_brk},
    {"copy_file_range", SYS_copy_file_range},
    {"sendfile", SYS_sendfile},
    {"eventfd2", SYS_eventfd2},
    {"timerfd_create", SYS_timerfd_create},
    {"signalfd4", SYS_signalfd4},
    {"epoll_create1", SYS_epoll_create1},
    {"dup", SYS_dup},
    {"dup3", SYS_dup3},
    {"ioctl", SYS_ioctl},
    {"fchmod", SYS_fchmod},
    {"fstat", SYS_fstat},
    {"newfstatat", SYS_newfstatat},
    {"getdents64", SYS_getdents64},
    {"utimensat", SYS_utimensat},
};
const std::map<std::string_view, int> k_errors = {
    {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EINTR", EINTR},   {"EAGAIN", EAGAIN},
    {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"EROFS", EROFS},   {"EACCES", EACCES},
    {"EPERM", EPERM},   {"ESTALE", ESTALE}, {"ENOLCK", ENOLCK}, {"ENOSYS", ENOSYS}, {"EXDEV", EXDEV},
};

user_regs_struct registers_of(pid_t thread) {
    user_regs_struct registers{};
    ptrace(PTRACE_GETREGS, thread, nullptr, &registers);
    return registers;
}

/// Is it at the entry of a call that counts?
bool is_meant(pid_t thread, const Fault& fault) {
    const user_regs_struct registers = registers_of(thread);
    if (!fault.calls.contains(static_cast<long>(registers.orig_rax))) {
        return false;
    }
    const std::string link =
        "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(static_cast<int>(registers.rdi));
    std::error_code none;
    return fault.path.empty() ||
           std::filesystem::read_symlink(link, none).string().find(fault.path) != std::string::npos;
}

/// At the entry of a call.
void spoil(pid_t thread, const Fault& fault) {
    user_regs_struct registers = registers_of(thread);
    if (fault.is_short) {
        registers.rdx = std::max(registers.rdx / 3, std::min(registers.rdx, 1ULL));
    } else {
        registers.orig_rax = static_cast<unsigned long long>(-1);  // no call at all
    }
    ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
}

/// At the exit of a call that spoil took away.
void answer(pid_t thread, int error) {
    user_regs_struct registers = registers_of(thread);
    registers.rax = static_cast<unsigned long long>(-static_cast<long long>(error));
    ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
}
#else  // only kills
const std::map<std::string_view, long> k_calls;
const std::map<std::string_view, int> k_errors;
bool is_meant(pid_t, const Fault&) {
    return false;
}
void spoil(pid_t, const Fault&) {}
void answer(pid_t, int) {}
#endif

class Tracer {
  public:
    Tracer(pid_t command, std::string wanted, Fault fault)
        : command_(command), wanted_(std::move(wanted)), fault_(std::move(fault)) {
        if (wanted_ == "command") {
            target_ = command;
        }
    }

    /// Until COMMAND ends; what it left running goes on untraced when this process exits.
    int follow() {
        int status = 0;
        for (pid_t pid = waitpid(-1, &status, __WALL); pid > 0; pid = waitpid(-1, &status, __WALL)) {
            if (!WIFSTOPPED(status)) {
                threads_.erase(pid);
                if (pid == command_) {
                    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
                continue;
            }
            handle_stop(pid, status);
        }
        return EXIT_FAILURE;
    }

    std::uint64_t calls() const { return calls_; }
    std::uint64_t hits() const { return hits_; }

  private:
    struct Thread {
        bool in_target = false;
        bool in_call = false;
        bool spoilt = false;
    };

    void handle_stop(pid_t pid, int status) {
        const int signal = WSTOPSIG(status);
        const int event = status >> 16;
        const auto [known, is_new] = threads_.try_emplace(pid);
        Thread& thread = known->second;
        if (is_new) {
            thread.in_target = target_ != 0 && process_of(pid) == target_;
        }
        if (signal == k_syscall_stop) {
            thread.in_call = !thread.in_call;
            if (thread.in_call && thread.in_target) {
                count_call(pid, thread);
            } else if (thread.spoilt) {
                thread.spoilt = false;
                answer(pid, fault_.error);
            }
            go_on(pid, thread, 0);
        } else if (event == PTRACE_EVENT_EXEC) {
            handle_exec(pid, thread);
        } else if (event != 0 || (is_new && signal == SIGSTOP)) {
            go_on(pid, thread, 0);
        } else {
            go_on(pid, thread, signal);
        }
    }

    void handle_exec(pid_t pid, Thread& thread) {
        thread.in_call = true;  // the exit of execve follows
        if (target_ == 0 && first_argument(pid) == wanted_) {
            target_ = pid;
            thread.in_target = true;
        }
        if (pid != command_ && pid != target_) {
            threads_.erase(pid);
            ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
        } else {
            go_on(pid, thread, 0);
        }
    }

    void count_call(pid_t pid, Thread& thread) {
        if (!fault_.calls.empty() && !is_meant(pid, fault_)) {
            return;
        }
        ++calls_;
        if (!fault_.strikes(calls_)) {
            return;
        }
        ++hits_;
        if (fault_.error == 0 && !fault_.is_short) {
            kill(target_, SIGKILL);
        } else {
            spoil(pid, fault_);
            thread.spoilt = !fault_.is_short;
        }
    }

    static void go_on(pid_t pid, const Thread& thread, int signal) {
        ptrace(thread.in_target ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr, static_cast<long>(signal));
    }

    pid_t command_;
    std::string wanted_;
    Fault fault_;
    pid_t target_ = 0;
    std::map<pid_t, Thread> threads_;
    std::uint64_t calls_ = 0;
    std::uint64_t hits_ = 0;
};

pid_t start(char** command) {
    const pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        execvp(command[0], command);
        std::perror(command[0]);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    ptrace(PTRACE_SETOPTIONS, pid, nullptr, k_options);
    return pid;
}

/// False when there is no such call or error (on this machine).
bool read_fault(const std::string& calls, const std::string& action, Fault& fault) {
    const auto at = std::min(calls.find('@'), calls.size());
    fault.path = calls.substr(std::min(at + 1, calls.size()));
    std::istringstream names(calls.substr(0, at));
    for (std::string name; std::getline(names, name, ',');) {
        const auto found = k_calls.find(name);
        if (found == k_calls.end()) {
            return false;
        }
        fault.calls.insert(found->second);
    }
    fault.is_short = action == "short";
    const auto error = k_errors.find(action);
    fault.error = error == k_errors.end() ? 0 : error->second;
    return fault.is_short || fault.error != 0 || action == "KILL";
}

void read_when(const std::string& text, Fault& fault) {
    const auto plus = text.find('+');
    fault.first = std::strtoull(text.c_str(), nullptr, 10);
    if (plus != std::string::npos) {
        fault.every = std::max(1ULL, std::strtoull(text.c_str() + plus + 1, nullptr, 10));
    }
}

}  // namespace

int main(int count, char** arguments) {
    Fault fault;
    if (count > 3 && std::string_view(arguments[1]) == "--fault") {
        if (!read_fault(arguments[2], arguments[3], fault)) {
            std::fputs("kill_at: no such call or error\n", stderr);
            return 2;
        }
        arguments += 3;
        count -= 3;
    }
    if (count < 5) {
        std::fputs("usage: kill_at [--fault CALLS ACTION] PROCESS N[+[K]] REPORT COMMAND...\n", stderr);
        return 2;
    }
    read_when(arguments[2], fault);
    const pid_t command = start(arguments + 4);
    Tracer tracer(command, arguments[1], fault);
    ptrace(PTRACE_CONT, command, nullptr, nullptr);  // up to its exec
    const int code = tracer.follow();
    std::ofstream(arguments[3]) << tracer.calls() << ' ' << tracer.hits() << '\n';
    return code;
}
