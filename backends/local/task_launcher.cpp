#include "backends/local/task_launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr int k_not_executable = 126;
constexpr int k_not_found = 127;

bool is_temporary(int error) {
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ETXTBSY;
}

TaskLauncher::Outcome fail(TaskRun& run, int exit, std::string message) {
    run.result.cause = Cause::user;
    run.result.exit = exit;
    run.result.message = std::move(message);
    return TaskLauncher::Outcome::failed;
}

TaskLauncher::Outcome fail_exec(TaskRun& run, const std::string& program, int error) {
    switch (error) {
        case ENOENT:
            return fail(
                run, k_not_found,
                fmt::format("cannot start '{}': it, or the interpreter in its first line, does not exist",
                            program));
        case ENOEXEC:
            return fail(run, k_not_executable,
                        fmt::format("cannot start '{}': it is no program, and has no '#!' line", program));
        case EACCES:
            return fail(run, k_not_executable,
                        fmt::format("cannot start '{}': Permission denied (is it executable?)", program));
        case E2BIG:
            return fail(
                run, k_not_executable,
                fmt::format("cannot start '{}': its arguments and environment are too large", program));
        default:
            return fail(run, k_not_executable,
                        fmt::format("cannot start '{}': {}", program, std::strerror(error)));
    }
}

TaskLauncher::Outcome fail_spawn(TaskRun& run, const std::string& program, const std::string& cwd,
                                 const SpawnOutcome& outcome) {
    if (is_temporary(outcome.error)) {
        run.result.message = fmt::format("cannot start '{}': {}", program, std::strerror(outcome.error));
        return TaskLauncher::Outcome::later;
    }
    if (outcome.failed == SpawnStep::cwd) {
        return fail(
            run, k_not_executable,
            fmt::format("cannot enter the working folder '{}': {}", cwd, std::strerror(outcome.error)));
    }
    return fail_exec(run, program, outcome.error);
}

}  // namespace

TaskLauncher::TaskLauncher(const std::string& amp_folder)
    : inherited_(own_environment(), true, amp_folder),
      minimal_(own_environment(), false, amp_folder),
      null_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    if (!null_) {
        throw Error::system("open", "/dev/null", errno);
    }
    getrlimit(RLIMIT_NOFILE, &open_files_);
    rlimit ours = open_files_;
    ours.rlim_cur = ours.rlim_max;
    setrlimit(RLIMIT_NOFILE, &ours);
}

void TaskLauncher::fill_environment(TaskEnvironment& environment, const TaskRun& run) const {
    const Scratch& scratch = *run.scratch;
    for (const auto& [name, late] : run.spec.env) {
        environment.set(name, render(late, scratch.in(), scratch.out()));
    }
    if (!run.gpus.empty()) {
        environment.set("CUDA_VISIBLE_DEVICES", join(run.gpus, ","));
    }
    environment.set("AMP_ATTEMPT", fmt::format("{}", run.spec.attempt));
    environment.set("AMP_TOKEN", run.spec.token);
    environment.set("AMP_TASK_DIR", scratch.folder());
    environment.set("AMP_IN", scratch.in());
    environment.set("AMP_OUT", scratch.out());
}

TaskLauncher::Outcome TaskLauncher::launch(TaskRun& run, Timestamp now) {
    TaskEnvironment environment(run.spec.inherit_env ? inherited_ : minimal_);
    fill_environment(environment, run);
    if (run.spec.argv.empty()) {
        return fail(run, k_not_found, "there is nothing to run");
    }
    const std::string name = render(run.spec.argv[0], run.scratch->in(), run.scratch->out());
    const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
    std::string unusable;
    const std::string program = find_program(name, environment.get("PATH"), cwd, unusable);
    if (program.empty() && !unusable.empty()) {
        return fail(run, k_not_executable, fmt::format("'{}' is not executable (chmod +x)", unusable));
    }
    if (program.empty()) {
        return fail(run, k_not_found,
                    name.empty() ? std::string("the program's name is empty")
                                 : fmt::format("program '{}' not found in PATH", name));
    }
    return start(run, environment, program, now);
}

TaskLauncher::Outcome TaskLauncher::start(TaskRun& run, TaskEnvironment& environment,
                                          const std::string& program, Timestamp now) {
    std::vector<std::string> arguments;
    arguments.reserve(run.spec.argv.size());
    for (const LateText& late : run.spec.argv) {
        arguments.push_back(render(late, run.scratch->in(), run.scratch->out()));
    }
    std::vector<char*> argv;
    argv.reserve(run.spec.argv.size() + 1);
    for (std::string& argument : arguments) {
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);

    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_spawn(run, program, {}, {-1, SpawnStep::fork, errno});
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    fcntl(ours.get(), F_SETFL, O_NONBLOCK);  // theirs must block: programs expect it
    const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
    const SpawnOutcome outcome = spawn({program.c_str(), argv.data(), environment.block(), cwd.c_str(),
                                        null_.get(), theirs.get(), &open_files_});
    if (outcome.pid < 0) {
        return fail_spawn(run, program, cwd, outcome);
    }
    run.pid = outcome.pid;
    run.output = std::move(ours);
    run.result.started = now;
    run.result.message.clear();
    return Outcome::running;
}

}  // namespace amp
