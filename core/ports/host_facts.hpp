#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace amp {

/// A store's folder as it lies on this machine.
struct StoreFacts {
    std::string folder;
    bool exists = false;
    std::string write_problem;  ///< why a file could not be made, synced and renamed there; empty: it could
    std::string lock_problem;   ///< why a lock could not be taken, or was not seen; empty: locks work
    std::uint32_t mode = 0;     ///< permission bits of the folder
    std::uint64_t owner = 0;
    std::string file_system;  ///< "ext4", "nfs", "9p", …; empty: unknown
    std::uint64_t free_bytes = 0;
    std::uint64_t free_inodes = 0;
    bool counts_inodes = false;
    double clock_ahead_s = 0;  ///< how far the time of a new file is before our own clock
};

/// A folder where tasks work.
struct ScratchFacts {
    std::string folder;
    std::string problem;   ///< why it cannot be used; empty: it can
    bool executes = true;  ///< programs in it can be started
    std::string variable;  ///< which variable named it; empty: the default
    std::uint64_t free_bytes = 0;
};

/// A process that carries a task's token.
struct FoundProcess {
    std::int64_t pid = 0;
    std::string run;
    std::string task;
    std::string command;
};

/// A machine as `amp doctor` sees it.
struct HostFacts {
    StoreFacts store;
    ScratchFacts scratch;
    std::uint64_t user = 0;             ///< effective user id
    std::uint64_t open_files = 0;       ///< limit that a process may raise itself to
    std::uint64_t processes = 0;        ///< limit for this user; 0: none
    std::uint64_t processes_now = 0;    ///< of this user
    std::vector<std::string> programs;  ///< of those asked for, the ones that are there: "bash", "sh", "git"
    std::vector<std::string> gpus;
    bool gpu_tool = false;    ///< nvidia-smi is there
    std::string gpu_problem;  ///< what it said when it failed
    double cpu = 1;
    std::uint64_t memory_bytes = 0;        ///< of the machine
    std::uint64_t memory_limit_bytes = 0;  ///< of our control group; 0: none
    std::vector<FoundProcess> task_processes;
    std::string kernel;
};

}  // namespace amp
