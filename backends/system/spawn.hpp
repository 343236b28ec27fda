#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <string>
#include <string_view>

namespace amp {

/// What to start; all pointers must live until spawn() returns.
struct SpawnRequest {
    const char* program = nullptr;  ///< path for execve; relative ones are below `cwd`
    char* const* argv = nullptr;
    char* const* env = nullptr;
    const char* cwd = nullptr;           ///< nullptr: the caller's
    int input = -1;                      ///< becomes stdin; -1: ours
    int output = -1;                     ///< becomes stdout and stderr; -1: ours
    const rlimit* open_files = nullptr;  ///< RLIMIT_NOFILE of the child, where ours is another
    bool own_group = true;               ///< false: stays in our process group, and so at the terminal
    int error = -1;                      ///< becomes stderr; -1: as `output`
};

enum class SpawnStep { none, fork, orphaned, setup, cwd, exec };

struct SpawnOutcome {
    pid_t pid = -1;  ///< -1: nothing runs
    SpawnStep failed = SpawnStep::none;
    int error = 0;  ///< errno of the failed step
};

/// Starts a program as ninja does: a vfork and execve, so that the cost does not grow with our memory. The
/// child leads a process group of its own (unless told otherwise), has all signals at their defaults and
/// unblocked, no descriptor but 0, 1 and 2, and dies (KILL) with the thread that called this: call it from a
/// thread that lives as long as the process.
SpawnOutcome spawn(const SpawnRequest& request);

/// Where `program` lies: itself when it has a '/', else the first executable file of that name in `path` (a
/// PATH; relative entries are below `cwd`). Empty when there is none; `found_unusable` then names a file that
/// was found but cannot be executed, if any.
std::string find_program(std::string_view program, std::string_view path, std::string_view cwd,
                         std::string& found_unusable);

}  // namespace amp
