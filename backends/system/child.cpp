#include "backends/system/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "backends/system/spawn.hpp"
#include "core/base/error.hpp"

extern char** environ;

namespace amp {
namespace {

/// What posix_spawn is to arrange.
class Arrangement {
  public:
    explicit Arrangement(const ChildRequest& request) {
        posix_spawn_file_actions_init(&actions_);
        if (request.input < 0) {
            posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        } else {
            posix_spawn_file_actions_adddup2(&actions_, request.input, 0);
        }
        posix_spawn_file_actions_adddup2(&actions_, request.output, 1);
        posix_spawn_file_actions_adddup2(&actions_, request.error, 2);
        posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
        if (!request.cwd.empty()) {
            posix_spawn_file_actions_addchdir_np(&actions_, request.cwd.c_str());
        }
        posix_spawnattr_init(&attributes_);
        posix_spawnattr_setflags(&attributes_,
                                 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        sigset_t set;
        sigfillset(&set);
        posix_spawnattr_setsigdefault(&attributes_, &set);
        sigemptyset(&set);
        posix_spawnattr_setsigmask(&attributes_, &set);
    }
    ~Arrangement() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    Arrangement(const Arrangement&) = delete;
    Arrangement& operator=(const Arrangement&) = delete;

    const posix_spawn_file_actions_t* actions() const { return &actions_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

std::string installed_program(const std::string& name, const std::string& cwd) {
    const char* path = std::getenv("PATH");
    std::string unusable;
    std::string found = find_program(name, path != nullptr ? path : "/usr/bin:/bin", cwd, unusable);
    if (found.empty() && !unusable.empty()) {
        throw Error(ExitCode::not_found, fmt::format("'{}' is not executable", unusable), unusable);
    }
    if (found.empty()) {
        throw Error(ExitCode::not_found, fmt::format("the program '{}' is not installed", name), name,
                    "install it, or put its folder into PATH");
    }
    return found;
}

std::vector<char*> exec_words(const std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (const std::string& word : words) {
        out.push_back(const_cast<char*>(word.c_str()));  // which exec does not write to
    }
    out.push_back(nullptr);
    return out;
}

Child::Child(const ChildRequest& request) {
    const Arrangement arrangement(request);
    const std::vector<char*> words = exec_words(request.words);
    const int error = posix_spawn(&pid_, request.program.c_str(), arrangement.actions(),
                                  arrangement.attributes(), words.data(), environ);
    if (error != 0) {
        pid_ = -1;
        throw Error::system("cannot start", request.program, error);
    }
    pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
}

Child::~Child() {
    if (pid_ > 0) {
        kill_group();
        has_ended(true);
    }
}

void Child::kill_group() const {
    if (pid_ > 0) {
        kill(-pid_, SIGKILL);
    }
}

bool Child::has_ended(bool wait) {
    if (pid_ <= 0) {
        return true;
    }
    pid_t got = 0;
    do {
        got = waitpid(pid_, &status_, wait ? 0 : WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got != 0) {
        pid_ = -1;
    }
    return got != 0;
}

}  // namespace amp
