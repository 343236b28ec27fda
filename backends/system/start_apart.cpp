#include "backends/system/start_apart.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "backends/system/fd_io.hpp"

extern char** environ;

namespace amp {
namespace {

constexpr int k_first_own = 10;  // above all that the child gets, so that no dup2 overwrites what comes next

struct Pipe {
    UniqueFd reader;
    UniqueFd writer;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error::system("create", "a pipe", errno);
    }
    Pipe made{UniqueFd(fcntl(ends[0], F_DUPFD_CLOEXEC, k_first_own)),
              UniqueFd(fcntl(ends[1], F_DUPFD_CLOEXEC, k_first_own))};
    close(ends[0]);
    close(ends[1]);
    if (!made.reader || !made.writer) {
        throw Error::system("create", "a pipe", errno);
    }
    return made;
}

UniqueFd open_log(const std::string& path) {
    const UniqueFd log = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0600);
    UniqueFd high(log ? fcntl(log.get(), F_DUPFD_CLOEXEC, k_first_own) : -1);
    if (!high) {
        throw Error::system("open", path, errno);
    }
    return high;
}

/// What posix_spawn is to arrange.
class Arrangement {
  public:
    Arrangement(int input, int output, int answer) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, input, 0);
        posix_spawn_file_actions_adddup2(&actions_, output, 1);
        posix_spawn_file_actions_adddup2(&actions_, output, 2);
        posix_spawn_file_actions_adddup2(&actions_, answer, k_answer_fd);
        posix_spawn_file_actions_addclosefrom_np(&actions_, k_answer_fd + 1);
        posix_spawnattr_init(&attributes_);
        posix_spawnattr_setflags(&attributes_,
                                 POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        sigset_t all;
        sigfillset(&all);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes_, &none);
    }
    ~Arrangement() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    Arrangement(const Arrangement&) = delete;
    Arrangement& operator=(const Arrangement&) = delete;

    int start(const std::vector<std::string>& arguments) const {
        std::vector<std::string> words = arguments;
        words.insert(words.begin(), "amp");
        std::vector<char*> argv;
        argv.reserve(words.size() + 1);
        for (std::string& word : words) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        pid_t pid = -1;
        return posix_spawn(&pid, "/proc/self/exe", &actions_, &attributes_, argv.data(), environ);
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::string read_to_end(int fd) {
    std::string out;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = read(fd, buffer.data(), buffer.size());
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return out;
        }
        out.append(buffer.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
    }
}

}  // namespace

std::string start_apart(const std::vector<std::string>& arguments, const std::string& input,
                        const std::string& log) {
    Pipe to_it = make_pipe();
    Pipe answer = make_pipe();
    {
        const UniqueFd output = open_log(log);
        const Arrangement arrangement(to_it.reader.get(), output.get(), answer.writer.get());
        if (const int error = arrangement.start(arguments); error != 0) {
            throw Error::system("start", "an orchestrator", error);
        }
    }
    to_it.reader.reset();
    answer.writer.reset();
    try {
        write_all(to_it.writer.get(), input, "the orchestrator's input");
    } catch (const Error&) {
        // It died: its answer, or the want of one, says so.
    }
    to_it.writer.reset();
    return read_to_end(answer.reader.get());
}

}  // namespace amp
