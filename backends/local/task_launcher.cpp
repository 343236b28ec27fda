#include "backends/local/task_launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "backends/local/environment_run.hpp"
#include "backends/local/spawn_failure.hpp"
#include "core/base/error.hpp"
#include "core/base/remove_tree.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr int k_not_found = 127;
constexpr std::string_view k_device_order = "CUDA_DEVICE_ORDER";
/// The host's SHELL is not every image's.
constexpr std::string_view k_inner_shell = "if command -v bash >/dev/null; then exec bash; fi; exec sh";
constexpr std::string_view k_this_machine = "127.0.0.1";

bool is_temporary(int error) {
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ETXTBSY;
}

TaskLauncher::Outcome fail(TaskRun& run, int exit, std::string message) {
    run.result.cause = Cause::user;
    run.result.exit = exit;
    run.result.message = std::move(message);
    return TaskLauncher::Outcome::failed;
}

TaskLauncher::Outcome fail_spawn(TaskRun& run, const std::string& program, const std::string& cwd,
                                 const SpawnOutcome& outcome) {
    if (is_temporary(outcome.error)) {
        run.result.message = fmt::format("cannot start '{}': {}", program, std::strerror(outcome.error));
        return TaskLauncher::Outcome::later;
    }
    const SpawnFailure failure = spawn_failure(program, cwd, outcome);
    return fail(run, failure.exit, failure.message);
}

RankPlace place_of(const TaskRun& run, const TaskProcess& process) {
    return {*run.spec.gang, process.rank, std::string(k_this_machine), run.ports, run.spec.resources};
}

void add_command(std::vector<std::string>& words, const TaskRun& run, const TaskProcess& process) {
    const std::string out = run.scratch->out_of(process.rank);
    words.reserve(words.size() + run.spec.argv.size());
    for (const LateText& late : run.spec.argv) {
        words.push_back(render(late, run.scratch->in(), out));
    }
}

/// What is started: the task's command, behind what its launcher puts in front.
std::vector<std::string> words_of(const TaskRun& run, const TaskProcess& process) {
    std::vector<std::string> words;
    bool with_command = true;
    if (run.spec.gang) {
        const RankPlace place = place_of(run, process);
        words = launcher_words(place);
        with_command = runs_command(place);
    }
    if (with_command) {
        add_command(words, run, process);
    }
    return words;
}

/// Of those that are claimed for the task.
std::vector<std::string> gpus_of(const TaskRun& run, const TaskProcess& process) {
    return run.spec.gang ? visible_share(place_of(run, process), run.gpus) : run.gpus;
}

void set_gpus(TaskEnvironment& environment, const TaskRun& run, const std::vector<std::string>& gpus) {
    const std::string names = join(gpus, ",");
    environment.set("AMP_GPUS", names);
    if (environment.get(k_device_order).empty()) {  // ours count along the bus, CUDA's own the fastest first
        environment.set(k_device_order, "PCI_BUS_ID");
    }
    if (run.spec.container) {  // the engine says NVIDIA_VISIBLE_DEVICES
        environment.set("CUDA_VISIBLE_DEVICES", join(inner_gpu_names(gpus), ","));
        return;
    }
    environment.set("CUDA_VISIBLE_DEVICES", names);
    environment.set("NVIDIA_VISIBLE_DEVICES", names);
}

}  // namespace

TaskLauncher::TaskLauncher(const std::string& amp_folder, const std::string& python_folder,
                           const std::vector<std::string>& caller)
    : inherited_(caller, true, amp_folder, python_folder),
      minimal_(caller, false, amp_folder, python_folder),
      none_({}, false, {}),
      null_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    if (!null_) {
        throw Error::system("open", "/dev/null", errno);
    }
    getrlimit(RLIMIT_NOFILE, &open_files_);
    rlimit ours = open_files_;
    ours.rlim_cur = ours.rlim_max;
    setrlimit(RLIMIT_NOFILE, &ours);
}

void TaskLauncher::fill_environment(TaskEnvironment& environment, const TaskRun& run,
                                    const TaskProcess& process) const {
    const Scratch& scratch = *run.scratch;
    const std::string out = scratch.out_of(process.rank);
    for (const auto& [name, late] : run.spec.env) {
        environment.set(name, render(late, scratch.in(), out));
    }
    if (run.spec.gang) {
        const RankPlace place = place_of(run, process);
        for (const auto& [name, value] : rank_variables(place)) {
            environment.set(name, value);
        }
        for (const auto& [name, value] : rank_defaults(place)) {
            if (environment.get(name).empty()) {
                environment.set(name, value);
            }
        }
    }
    if (!run.gpus.empty()) {
        set_gpus(environment, run, gpus_of(run, process));
    }
    environment.set("AMP_ATTEMPT", fmt::format("{}", run.spec.attempt));
    environment.set("AMP_TOKEN", run.spec.token);
    environment.set("AMP_SOCKET", socket_);
    environment.set("AMP_TASK_DIR", scratch.folder());
    environment.set("AMP_IN", scratch.in());
    environment.set("AMP_OUT", out);
    if (run.checkpoint) {
        environment.set("AMP_CHECKPOINT", run.checkpoint->folder());
    }
}

// All or none: what one process lacks the others could not go on without.
TaskLauncher::Outcome TaskLauncher::launch(TaskRun& run, const Variables& secrets, Timestamp now) {
    for (TaskProcess& process : run.processes) {
        const Outcome outcome = launch(run, process, secrets, now);
        if (outcome == Outcome::running) {
            continue;
        }
        if (process.rank == 0) {
            return outcome;
        }
        for (std::size_t rank = process.rank; rank < run.processes.size(); ++rank) {
            run.processes[rank].ended = true;
            run.processes[rank].end.exit = -1;
        }
        run.forced = outcome == Outcome::failed ? run.result.cause : Cause::infra;
        run.forced_message = fmt::format("rank {}: {}", process.rank, run.result.message);
        return Outcome::partly;
    }
    return Outcome::running;
}

TaskLauncher::Outcome TaskLauncher::launch(TaskRun& run, TaskProcess& process, const Variables& secrets,
                                           Timestamp now) {
    if (run.spec.argv.empty()) {
        return fail(run, k_not_found, "there is nothing to run");
    }
    if (run.spec.container) {
        return launch_contained(run, process, words_of(run, process), secrets, false, now);
    }
    TaskEnvironment environment(run.spec.inherit_env ? inherited_ : minimal_);
    fill_environment(environment, run, process);
    for (const auto& [variable, value] : secrets) {
        environment.set(variable, value);
    }
    std::vector<std::string> words = words_of(run, process);
    if (run.spec.environment) {
        words = in_environment(run, std::move(words));
    }
    const std::string& name = words.front();
    const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
    std::string unusable;
    const std::string program = find_program(name, environment.get("PATH"), cwd, unusable);
    if (program.empty()) {
        const SpawnFailure failure = not_found(name, unusable);
        return fail(run, failure.exit, failure.message);
    }
    return start(run, process, environment, program, std::move(words), now);
}

// Its command, its variables and its output go by way of the folder that the container shares with us; its
// process here is the engine's client.
TaskLauncher::Outcome TaskLauncher::launch_contained(TaskRun& run, TaskProcess& process,
                                                     std::vector<std::string> words, const Variables& secrets,
                                                     bool interactive, Timestamp now) {
    TaskEnvironment own(none_);
    fill_environment(own, run, process);
    for (const auto& [variable, value] : secrets) {
        own.set(variable, value);
    }
    ContainerOrder order;
    order.cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
    order.words = std::move(words);
    order.environment = own.own();
    order.interactive = interactive;
    Containers::Client client;
    try {
        client = containers_->prepare(run, process, std::move(order), gpus_of(run, process));
    } catch (const std::exception& error) {
        fail(run, -1, error.what());
        run.result.cause = Cause::infra;
        return Outcome::failed;
    }
    std::vector<char*> argv;
    for (std::string& word : client.words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    TaskEnvironment environment(containers_->client_environment());
    environment.set("AMP_TOKEN", k_engine_token);
    SpawnRequest request{client.program.c_str(), argv.data(), environment.block(), "/"};
    request.own_group = !interactive;
    if (!interactive) {
        request.input = null_.get();
        request.output = process.container->words.get();
    }
    const Outcome outcome = begin(run, process, request, now);
    if (outcome != Outcome::running) {
        remove_tree(process.container->folder);
    }
    return outcome;
}

TaskLauncher::Outcome TaskLauncher::start(TaskRun& run, TaskProcess& process, TaskEnvironment& environment,
                                          const std::string& program, std::vector<std::string> words,
                                          Timestamp now) {
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
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
    SpawnRequest request{program.c_str(), argv.data(), environment.block(), cwd.c_str()};
    request.input = null_.get();
    request.output = theirs.get();
    const Outcome outcome = begin(run, process, request, now);
    if (outcome == Outcome::running) {
        process.output = std::move(ours);
    }
    return outcome;
}

TaskLauncher::Outcome TaskLauncher::begin(TaskRun& run, TaskProcess& process, SpawnRequest request,
                                          Timestamp now) const {
    request.open_files = &open_files_;
    const SpawnOutcome outcome = spawn(request);
    if (outcome.pid < 0) {
        return fail_spawn(run, request.program, request.cwd, outcome);
    }
    process.pid = outcome.pid;
    run.result.started = now;
    run.result.message.clear();
    return Outcome::running;
}

TaskLauncher::Outcome TaskLauncher::launch_shell(TaskRun& run, const std::string& shell,
                                                 const Variables& secrets, Timestamp now) {
    std::vector<std::string> words = {run.spec.container ? "sh" : shell};
    add_command(words, run, run.first());
    if (run.spec.container) {
        if (words.size() == 1) {
            words.insert(words.end(), {"-c", std::string(k_inner_shell)});
        }
        return launch_contained(run, run.first(), std::move(words), secrets, true, now);
    }
    TaskEnvironment environment(run.spec.inherit_env ? inherited_ : minimal_);
    fill_environment(environment, run, run.first());
    for (const auto& [name, value] : secrets) {
        environment.set(name, value);
    }
    const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
    std::string unusable;
    std::string program = find_program(shell, environment.get("PATH"), cwd, unusable);
    if (program.empty()) {
        return fail(run, k_not_found, fmt::format("the shell '{}' is not found", shell));
    }
    if (run.spec.environment) {
        words = in_environment(run, std::move(words));
        program = words.front();
    }
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    SpawnRequest request{program.c_str(), argv.data(), environment.block(), cwd.c_str()};
    request.own_group = false;
    return begin(run, run.first(), request, now);
}

std::string amp_folder(const ScratchPool& scratch, const std::string& binary) {
    const char* path = std::getenv("PATH");
    std::string unusable;
    const std::string found = find_program("amp", path == nullptr ? "" : path, "/", unusable);
    std::error_code failed;
    if (!found.empty() && std::filesystem::equivalent(found, binary, failed)) {
        return {};
    }
    return scratch.make_program_folder(binary);
}

std::string own_binary() {
    std::string path = std::filesystem::read_symlink("/proc/self/exe").string();
    return access(path.c_str(), X_OK) == 0 ? path : fmt::format("/proc/{}/exe", getpid());
}

}  // namespace amp
