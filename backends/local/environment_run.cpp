#include "backends/local/environment_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "backends/local/environment_maker.hpp"
#include "backends/local/spawn_failure.hpp"
#include "backends/local/task_launcher.hpp"
#include "backends/system/fd_io.hpp"
#include "backends/system/spawn.hpp"
#include "core/base/text.hpp"

extern char** environ;

namespace amp {
namespace {

constexpr int k_failed = 1;
constexpr int k_try_again = 75;
constexpr double k_look_again_s = 1;
constexpr std::size_t k_most_problem = 4096;

/// What `amp environment-run` is told.
struct Told {
    std::string cache;
    std::string given;
    std::string folder;  ///< $AMP_TASK_DIR
    std::string key;
    std::vector<std::string> words;
};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string place(const std::string& folder, std::string_view name) {
    return fmt::format("{}/{}", folder, name);
}

void say(const std::string& text) {
    write_all(STDOUT_FILENO, "amp: " + text + "\n", "standard output");
}

/// Of several ranks the first tells.
void tell_problem(const Told& told, const std::string& text) {
    say(text);
    const std::string path = place(told.folder, k_environment_problem);
    const UniqueFd file = open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file) {
        write_all(file.get(), text, path);
    }
}

/// The environment's programs first; but `amp` stays the one that runs the task, where it lies in a folder of
/// its own.
std::string inner_path(const std::string& folder) {
    const std::string path = variable("PATH");
    const std::string first = path.substr(0, path.find(':'));
    const bool ours = !first.empty() && access((first + "/amp").c_str(), X_OK) == 0 &&
                      access((first + "/python3").c_str(), F_OK) != 0;
    const std::string rest = ours ? path.substr(std::min(first.size() + 1, path.size())) : path;
    return (ours ? first + ":" : "") + folder + "/bin" + (rest.empty() ? "" : ":" + rest);
}

void enter(const std::string& folder) {
    const bool conda = access((folder + "/conda-meta").c_str(), F_OK) == 0;
    setenv("PATH", inner_path(folder).c_str(), 1);
    setenv(conda ? "CONDA_PREFIX" : "VIRTUAL_ENV", folder.c_str(), 1);
    unsetenv(conda ? "VIRTUAL_ENV" : "CONDA_PREFIX");
    unsetenv("PYTHONHOME");
}

/// Returns only when the command cannot be started.
int become(const Told& told) {
    std::vector<std::string> words = told.words;
    std::string unusable;
    const std::string program = find_program(words.front(), variable("PATH"), ".", unusable);
    if (program.empty()) {
        const SpawnFailure failure = not_found(words.front(), unusable);
        tell_problem(told, failure.message);
        return failure.exit;
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const UniqueFd began =
        open_at(AT_FDCWD, place(told.folder, k_environment_began), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (const int signal : {SIGPIPE, SIGXFSZ}) {  // which amp ignores
        std::signal(signal, SIG_DFL);
    }
    execve(program.c_str(), argv.data(), environ);
    const SpawnFailure failure = spawn_failure(program, "", {-1, SpawnStep::exec, errno});
    unlink(place(told.folder, k_environment_began).c_str());
    tell_problem(told, failure.message);
    return failure.exit;
}

}  // namespace

std::vector<std::string> in_environment(const TaskRun& run, std::vector<std::string> words) {
    std::vector<std::string> out = {own_binary(),          std::string(k_environment_run),
                                    environments_folder(), place(run.scratch->in(), k_environment_input),
                                    run.scratch->folder(), run.spec.environment->key};
    out.insert(out.end(), words.begin(), words.end());
    return out;
}

int environment_run(std::span<const std::string> arguments) {
    constexpr std::size_t k_told = 4;
    if (arguments.size() <= k_told) {
        return k_failed;
    }
    const Told told{arguments[0],
                    arguments[1],
                    arguments[2],
                    arguments[3],
                    {arguments.begin() + k_told, arguments.end()}};
    try {
        enter(ensure_environment({told.given, told.cache, told.key, variable("PATH")}, say));
        return become(told);
    } catch (const Error& error) {
        tell_problem(told, "its environment cannot be made: " + error.advice());
        return error.code() == ExitCode::infrastructure || error.code() == ExitCode::store_full ? k_try_again
                                                                                                : k_failed;
    } catch (const std::exception& error) {
        tell_problem(told, fmt::format("its environment cannot be made: {}", error.what()));
        return k_failed;
    }
}

std::string environment_problem(const TaskRun& run) {
    if (!run.spec.environment || !run.scratch) {
        return {};
    }
    const std::string path = place(run.scratch->folder(), k_environment_problem);
    const UniqueFd file = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
        return file ? to_utf8(read_at(file.get(), 0, k_most_problem, path)) : std::string();
    } catch (const Error&) {  // then the log has it
        return {};
    }
}

double time_left(const TaskRun& run) {
    if (!run.spec.environment) {
        return 0;
    }
    struct stat began {};
    if (stat(place(run.scratch->folder(), k_environment_began).c_str(), &began) != 0) {
        return k_look_again_s;  // it is being made, which has a limit of its own
    }
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const double ran = static_cast<double>(now.tv_sec - began.st_mtim.tv_sec) +
                       static_cast<double>(now.tv_nsec - began.st_mtim.tv_nsec) * 1e-9;
    return std::clamp(run.spec.timeout_s - ran, 0.0, run.spec.timeout_s);
}

}  // namespace amp
