// usage: kill_at PROCESS N REPORT COMMAND...
//
// Runs COMMAND, and kills a process of it (SIGKILL) just before its N-th system call. PROCESS is `command`
// (COMMAND itself) or a word: the first process below it that is executed with this word as its first
// argument. N = 0 only counts. REPORT gets "CALLS KILLED": the system calls seen, and 1 if it was killed.
// Exits as COMMAND did (128 + signal).
//
// Unlike strace's injection, which counts each kind of call for itself and attaches too late to a process
// that COMMAND starts, this sees every call from the exec on. All threads of the process count together.

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

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

class Tracer {
  public:
    Tracer(pid_t command, std::string wanted, std::uint64_t kill_at)
        : command_(command), wanted_(std::move(wanted)), kill_at_(kill_at) {
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
    bool killed() const { return killed_; }

  private:
    struct Thread {
        bool in_target = false;
        bool in_call = false;
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
                count_call();
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

    void count_call() {
        ++calls_;
        if (calls_ == kill_at_) {
            killed_ = true;
            kill(target_, SIGKILL);
        }
    }

    static void go_on(pid_t pid, const Thread& thread, int signal) {
        ptrace(thread.in_target ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr, static_cast<long>(signal));
    }

    pid_t command_;
    std::string wanted_;
    std::uint64_t kill_at_;
    pid_t target_ = 0;
    std::map<pid_t, Thread> threads_;
    std::uint64_t calls_ = 0;
    bool killed_ = false;
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

}  // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fputs("usage: kill_at PROCESS N REPORT COMMAND...\n", stderr);
        return 2;
    }
    const pid_t command = start(arguments + 4);
    Tracer tracer(command, arguments[1], std::strtoull(arguments[2], nullptr, 10));
    ptrace(PTRACE_CONT, command, nullptr, nullptr);  // up to its exec
    const int code = tracer.follow();
    std::ofstream(arguments[3]) << tracer.calls() << ' ' << (tracer.killed() ? 1 : 0) << '\n';
    return code;
}
