#include "core/run/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;
constexpr std::uint64_t k_gib = std::uint64_t{1} << 30;

Diagnosis good(std::string check, std::string found) {
    return {std::move(check), Health::good, std::move(found), {}, {}};
}
Diagnosis warning(std::string check, std::string found, std::string means, std::string advice) {
    return {std::move(check), Health::warning, std::move(found), std::move(means), std::move(advice)};
}
Diagnosis failure(std::string check, std::string found, std::string means, std::string advice) {
    return {std::move(check), Health::failure, std::move(found), std::move(means), std::move(advice)};
}

Diagnosis check_settings(const ProjectFacts& project) {
    if (project.settings_error) {
        return failure(
            "settings", project.settings_error->message() + " (" + project.settings_error->where() + ")",
            "no run can start",
            project.settings_error->hint().empty() ? "mend amp.toml" : project.settings_error->hint());
    }
    return good("settings", fmt::format("the project is {}", project.folder));
}

Diagnosis check_store(const HostFacts& host, const ProjectFacts& project) {
    const StoreFacts& store = host.store;
    if (!store.write_problem.empty()) {
        return failure("store", fmt::format("{} cannot be written: {}", store.folder, store.write_problem),
                       "runs cannot be recorded",
                       "ask for the right to write there, or set AMP_STORE to a folder of your own");
    }
    if (project.store_error) {
        return failure("store", project.store_error->message(), "its runs cannot be read",
                       "`amp fsck` tells what is wrong");
    }
    return good("store", store.exists ? fmt::format("{} can be written", store.folder)
                                      : fmt::format("{} will be made by the first run", store.folder));
}

Diagnosis check_rights(const HostFacts& host) {
    const StoreFacts& store = host.store;
    if (!store.exists) {
        return good("rights", "no store yet");
    }
    const std::string found = fmt::format("mode {:04o}, owner {}", store.mode, store.owner);
    if ((store.mode & 07U) != 0) {
        return warning("rights", found, "other users can look into the store, or change it",
                       fmt::format("chmod o= {}", shell_quote(store.folder)));
    }
    if (store.owner != host.user && (store.mode & 020U) == 0) {
        return warning("rights", found, "the store belongs to somebody else, and is not shared with a group",
                       "let its owner share it, or set AMP_STORE to a folder of your own");
    }
    return good("rights", found);
}

Diagnosis check_room(const HostFacts& host) {
    const StoreFacts& store = host.store;
    const std::string found = fmt::format("{} free", format_size(store.free_bytes));
    if (store.free_bytes < 16 * k_mib) {
        return failure("room", found, "runs stop with exit code 10", "free some space; `amp gc` may help");
    }
    if (store.free_bytes < k_gib) {
        return warning("room", found, "a run may fill the disk", "free some space; `amp gc` may help");
    }
    return good("room", found);
}

Diagnosis check_inodes(const HostFacts& host) {
    const StoreFacts& store = host.store;
    if (!store.counts_inodes) {
        return good("inodes", "not limited");
    }
    const std::string found = fmt::format("{} free", store.free_inodes);
    if (store.free_inodes < 100) {
        return failure("inodes", found, "no file can be made soon, whatever room there is",
                       "remove many small files; `amp gc` may help");
    }
    return store.free_inodes < 10'000
               ? warning("inodes", found, "a run with many files may use them up", "remove many small files")
               : good("inodes", found);
}

Diagnosis check_file_system(const HostFacts& host) {
    constexpr std::string_view k_far[] = {"nfs",    "9p",   "cifs",   "smb2", "fuse",
                                          "lustre", "gpfs", "beegfs", "ceph"};
    const std::string& name = host.store.file_system;
    if (std::find(std::begin(k_far), std::end(k_far), name) != std::end(k_far)) {
        return warning("files", name, "a network file system: slower, and changes by others are seen late",
                       "drive each run from one machine; for speed set AMP_STORE to a local disk");
    }
    if (name == "tmpfs") {
        return warning("files", name, "the store lies in memory: it is gone after a restart",
                       "set AMP_STORE to a folder on a disk");
    }
    return good("files", name.empty() ? "a file system that amp does not know" : name);
}

Diagnosis check_locks(const HostFacts& host) {
    if (host.store.write_problem.empty() && !host.store.lock_problem.empty()) {
        return failure("locks", host.store.lock_problem, "two drivers of one run could not be told apart",
                       "set AMP_STORE to a folder on a file system with locks");
    }
    return good("locks", "a lock was taken, and seen");
}

Diagnosis check_clock(const HostFacts& host) {
    constexpr double k_wrong_s = 5;
    constexpr double k_very_wrong_s = 3600;
    const double skew = std::abs(host.store.clock_ahead_s);
    const std::string found = fmt::format("new files are {:.1f} s {} our clock", skew,
                                          host.store.clock_ahead_s > 0 ? "ahead of" : "behind");
    if (skew > k_very_wrong_s) {
        return failure("clock", found, "leases of drivers on other machines are misjudged",
                       "set the clocks of this machine and the file server (NTP)");
    }
    return skew > k_wrong_s ? warning("clock", found, "ages and times in listings are off",
                                      "set the clocks of this machine and the file server (NTP)")
                            : good("clock", "agrees with the store's");
}

Diagnosis check_open_files(const HostFacts& host) {
    const std::string found = host.open_files == 0 ? "no limit" : fmt::format("limit {}", host.open_files);
    if (host.open_files != 0 && host.open_files < 256) {
        return failure("open files", found, "few tasks can run at once, and some will fail to start",
                       "raise it: ulimit -Hn 4096, or in /etc/security/limits.conf");
    }
    return host.open_files != 0 && host.open_files < 1024
               ? warning("open files", found, "with many tasks at once it may not be enough",
                         "raise it: ulimit -Hn 4096, or in /etc/security/limits.conf")
               : good("open files", found);
}

Diagnosis check_processes(const HostFacts& host) {
    if (host.processes == 0 || host.user == 0) {
        return good("processes", "no limit");
    }
    const std::uint64_t left = host.processes > host.processes_now ? host.processes - host.processes_now : 0;
    const std::string found = fmt::format("{} of {} in use", host.processes_now, host.processes);
    if (left < 16) {
        return failure("processes", found, "tasks cannot be started", "end some, or raise `ulimit -u`");
    }
    return left < 256 ? warning("processes", found, "many tasks at once may not fit",
                                "raise `ulimit -u`, or run with --max-workers")
                      : good("processes", found);
}

Diagnosis check_scratch(const HostFacts& host) {
    const ScratchFacts& scratch = host.scratch;
    const std::string named =
        scratch.variable.empty() ? scratch.folder : fmt::format("{} ({})", scratch.folder, scratch.variable);
    if (!scratch.problem.empty()) {
        return failure("scratch", fmt::format("{} cannot be used: {}", named, scratch.problem),
                       "tasks have nowhere to work", "set AMP_SCRATCH to a folder of your own");
    }
    if (!scratch.executes) {
        return warning("scratch", fmt::format("{} is mounted noexec", named),
                       "programs and libraries that a task puts there do not start",
                       "set AMP_SCRATCH to a folder where they do");
    }
    if (scratch.free_bytes < 64 * k_mib) {
        return warning("scratch", fmt::format("{} has {} free", named, format_size(scratch.free_bytes)),
                       "tasks that write files may fail",
                       "free some space, or set AMP_SCRATCH to another folder");
    }
    return good("scratch", named);
}

bool has(const HostFacts& host, std::string_view program) {
    return std::find(host.programs.begin(), host.programs.end(), program) != host.programs.end();
}

Diagnosis check_shells(const HostFacts& host) {
    if (!has(host, "bash") && !has(host, "sh")) {
        return failure("shell", "there is neither bash nor sh", "steps in the string form cannot run",
                       "install bash, or put it in PATH");
    }
    return has(host, "bash") ? good("shell", "bash")
                             : failure("shell", "there is no bash", "steps whose run is a text need it",
                                       "install bash, or say shell = \"sh\" in the flow");
}

Diagnosis check_git(const HostFacts& host, const ProjectFacts& project) {
    if (!has(host, "git")) {
        return warning("git", "there is no git", "runs do not know their commit",
                       "install git, if the project is in a repository");
    }
    if (project.git_refuses) {
        return warning(
            "git", fmt::format("git refuses to look at {}", project.folder),
            "it belongs to another user: runs do not know their commit",
            fmt::format("git config --global --add safe.directory {}", shell_quote(project.folder)));
    }
    return good("git", "usable");
}

Diagnosis check_gpus(const HostFacts& host) {
    if (!host.gpus.empty() && !host.gpu_problem.empty()) {
        return warning("gpus",
                       fmt::format("{} seen, but nvidia-smi says: {}", host.gpus.size(), host.gpu_problem),
                       "tasks that use them may fail", "look at the driver: nvidia-smi, dmesg");
    }
    return good("gpus", host.gpus.empty() ? "none" : join(host.gpus, ", "));
}

Diagnosis check_memory(const HostFacts& host, const ProjectFacts& project) {
    const std::uint64_t limit = host.memory_limit_bytes > 0 ? host.memory_limit_bytes : host.memory_bytes;
    const std::string found =
        host.memory_limit_bytes > 0
            ? fmt::format("{} of {} by our control group", format_size(limit), format_size(host.memory_bytes))
            : format_size(limit);
    if (limit > 0 && project.asked_memory_bytes > limit) {
        return failure(
            "memory",
            fmt::format("{}, and a step asks for {}", found, format_size(project.asked_memory_bytes)),
            "that step can never run here", "ask for less, or run it on another machine");
    }
    return limit > 0 && limit < 256 * k_mib
               ? warning("memory", found, "little: tasks may be killed", "raise the limit of the container")
               : good("memory", found);
}

Diagnosis check_leases(const ProjectFacts& project) {
    std::vector<std::string> runs = project.stale_leases;
    runs.insert(runs.end(), project.silent_runs.begin(), project.silent_runs.end());
    if (runs.empty()) {
        return good("leases", "no run waits for a driver that died");
    }
    return warning("leases", fmt::format("the driver died of {}", join(runs, ", ")),
                   "these runs are interrupted",
                   "`amp resume RUN` goes on with them, `amp cancel RUN` ends them");
}

Diagnosis check_leftovers(const ProjectFacts& project) {
    if (project.dead_processes.empty()) {
        return good("leftovers", "no process of a task that has ended");
    }
    return warning("leftovers", join(project.dead_processes, ", "),
                   "processes of tasks whose keeper is gone still run",
                   "look at them, and end them with kill");
}

Diagnosis check_engine(const ProjectFacts& project) {
    if (!project.engine.empty()) {
        return good("containers", project.engine);
    }
    if (project.wants_engine) {
        return failure("containers", project.engine_problem, "steps with container = true cannot run",
                       "start docker, or install podman");
    }
    return good("containers", "no engine answers, and no step needs one");
}

/// What makes the Python environments of steps, where some step has one.
Diagnosis check_environments(const HostFacts& host, const ProjectFacts& project) {
    using Tool = PythonEnvironment::Tool;
    const bool uv = has(host, "uv");
    const bool conda = has(host, "micromamba") || has(host, "mamba") || has(host, "conda");
    if (project.environment_tools.contains(Tool::conda) && !conda) {
        return failure("environments", "there is neither micromamba nor mamba nor conda",
                       "steps with an environment of conda cannot run here", "install micromamba");
    }
    if (project.environment_tools.contains(Tool::uv) && !uv) {
        return failure("environments", "there is no uv", "steps with a lock file of uv cannot run here",
                       "install it: pip install uv");
    }
    if (project.environment_tools.contains(Tool::requirements) && !uv && !has(host, "python3")) {
        return failure("environments", "there is neither python3 nor uv",
                       "steps with a Python environment cannot run here", "install one of them");
    }
    return good("environments", project.environment_tools.empty() ? "no step of flow.toml has one"
                                                                  : "what makes them is there");
}

}  // namespace

std::string_view health_name(Health health) {
    switch (health) {
        case Health::good:
            return "good";
        case Health::warning:
            return "warning";
        case Health::failure:
            return "failure";
    }
    return "good";
}

std::vector<Diagnosis> diagnose(const HostFacts& host, const ProjectFacts& project) {
    return {check_settings(project),
            check_store(host, project),
            check_rights(host),
            check_room(host),
            check_inodes(host),
            check_file_system(host),
            check_locks(host),
            check_clock(host),
            check_open_files(host),
            check_processes(host),
            check_scratch(host),
            check_shells(host),
            check_git(host, project),
            check_gpus(host),
            check_memory(host, project),
            check_leases(project),
            check_leftovers(project),
            check_engine(project),
            check_environments(host, project)};
}

}  // namespace amp
