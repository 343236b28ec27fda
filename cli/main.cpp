// The only file that knows which ports and backends there are: it builds the world, and cli does the rest.

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>
#include <span>

#include "backends/local/container_init.hpp"
#include "backends/local/environment_run.hpp"
#include "backends/local/foreground.hpp"
#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_options.hpp"
#include "backends/local/local_backend.hpp"
#include "backends/local/remains.hpp"
#include "backends/local/task_exec.hpp"
#include "backends/routed/fetching_backend.hpp"
#include "backends/routed/routed_backend.hpp"
#include "backends/ssh/far_agent.hpp"
#include "backends/ssh/far_place.hpp"
#include "backends/ssh/far_shell.hpp"
#include "backends/ssh/made_place.hpp"
#include "backends/ssh/ssh_backend.hpp"
#include "backends/ssh/ssh_fetch.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/gpus.hpp"
#include "backends/system/host_probe.hpp"
#include "backends/system/local_append_files.hpp"
#include "backends/system/local_files.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/secret_prompt.hpp"
#include "backends/system/signal_waiter.hpp"
#include "backends/system/start_apart.hpp"
#include "backends/system/system_clock.hpp"
#include "backends/system/tool_process.hpp"
#include "cli/amp_main.hpp"
#include "cli/detach.hpp"
#include "cli/poll_waiter.hpp"
#include "cli/process_facts.hpp"
#include "cli/report.hpp"
#include "cli/version_facts.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/run/run_record.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/task/container.hpp"
#include "core/task/python_environment.hpp"

namespace amp {
namespace {

/// More than a flow may have, so that it is load_flow which says so.
constexpr std::size_t k_flow_bytes = std::size_t{64} << 20;
constexpr std::string_view k_ssh = "ssh";

/// Told once and before anything is made, rather than by whatever is written first.
void check_writable(const std::string& folder) {
    std::filesystem::path path = std::filesystem::absolute(folder);
    std::error_code unknown;
    while (!std::filesystem::exists(path, unknown) && path.has_relative_path()) {
        path = path.parent_path();
    }
    for (const std::filesystem::path& needed : {path, path / "runs", path / "objects"}) {
        if (std::filesystem::exists(needed, unknown) && access(needed.c_str(), W_OK | X_OK) != 0) {
            const Error error = Error::system("cannot write the store", needed.string(), errno);
            throw Error(ExitCode::store_full, error.message(), folder,
                        "ask for the right to write there, or set AMP_STORE to a folder of your own");
        }
    }
}

OpenStore open_local_store(const std::string& folder, bool create, Timestamp now) {
    std::error_code error;
    if (!create && !std::filesystem::exists(folder + "/" + layout::store_record(), error)) {
        throw Error(ExitCode::not_found, "there are no runs yet", folder, "'amp run' starts one");
    }
    if (create) {
        check_writable(folder);
    }
    OpenStore store{std::make_unique<DirectoryStore>(folder), std::make_unique<LocalAppendFiles>(folder),
                    std::filesystem::absolute(folder).string()};
    open_store(*store.objects, "", format_time(now));
    return store;
}

std::unique_ptr<Backend> make_local_backend(const OpenStore& store, const BackendRequest& request) {
    LocalBackendOptions options;
    options.store_dir = store.folder;
    options.run = request.run;
    options.epoch = request.epoch;
    options.workers = request.workers;
    options.project_dir = request.project_folder;
    options.secrets = request.secrets;
    return std::make_unique<LocalBackend>(*store.files, std::move(options));
}

/// @param place of its profile among those of the run
std::unique_ptr<Backend> make_ssh_backend(const OpenStore& store, const BackendRequest& request,
                                          std::size_t place) {
    constexpr std::size_t k_unlimited = 100'000;
    SshBackendOptions options;
    options.host = get_string(request.settings, "host");
    options.root = get_string(request.settings, "root");
    options.profile = request.profile;
    if (const auto most = parse_size(get_string(request.settings, "keep_above"))) {
        options.keep_above = *most;
    }
    options.run = request.run;
    options.epoch = request.epoch;
    options.number_base = k_numbers_of_a_profile * static_cast<std::uint32_t>(place + 1);
    options.workers = static_cast<std::size_t>(get_int(request.settings, "max_workers"));
    if (options.workers == 0 && request.workers < k_unlimited) {
        options.workers = request.workers;
    }
    options.project_folder = request.project_folder;
    options.code =
        std::make_shared<const CodeManifest>(run_record_from(read_run(*store.objects, request.run)).code);
    options.secrets = request.secrets;
    return std::make_unique<SshBackend>(*store.objects, *store.files, std::move(options));
}

std::unique_ptr<Backend> make_backend_of(const OpenStore& store, const BackendRequest& request,
                                         std::size_t place) {
    if (get_string(request.settings, "backend") == k_ssh) {
        return make_ssh_backend(store, request, place);
    }
    throw Error(ExitCode::invalid,
                fmt::format("profile '{}' runs tasks on {}, which this version of amp cannot do",
                            request.profile, get_string(request.settings, "backend")));
}

/// What stayed on another machine comes from there.
std::unique_ptr<FarFetch> make_fetch(const OpenStore& store, const FarPlace& place, int patience) {
    if (place.backend != k_ssh) {
        throw Error(ExitCode::invalid,
                    fmt::format("it stayed on {} ({}), which this version of amp cannot reach", place.profile,
                                place.backend));
    }
    return std::make_unique<SshFetch>(*store.objects, SshFetchOptions{place, patience});
}

/// This machine's, and beside it those of the profiles that the run uses elsewhere.
std::unique_ptr<Backend> make_routed_backend(const OpenStore& store, const BackendRequest& request) {
    auto local = make_local_backend(store, request);
    if (request.profiles.empty()) {
        return local;
    }
    std::vector<RoutedBackend::Place> places;
    places.push_back({"", std::move(local), true});
    for (const ProfileUse& use : request.profiles) {
        BackendRequest theirs = request;
        theirs.profile = use.name;
        theirs.settings = use.settings;
        places.push_back({use.name, make_backend_of(store, theirs, places.size() - 1), use.sure});
    }
    const auto make_log = [files = store.files.get(), run = request.run, epoch = request.epoch] {
        return std::make_unique<KeeperLogWriter>(*files, run, epoch, std::function<void()>(),
                                                 Witness::driver);
    };
    return std::make_unique<RoutedBackend>(std::move(places), make_log);
}

std::unique_ptr<Backend> make_backend(const OpenStore& store, const BackendRequest& request) {
    constexpr int k_patience = 60;  // an hour
    std::map<std::string, FarPlace> places;
    for (const ProfileUse& use : request.profiles) {
        places[use.name] = {use.name,
                            get_string(use.settings, "backend"),
                            get_string(use.settings, "host"),
                            get_string(use.settings, "root"),
                            {}};
    }
    return std::make_unique<FetchingBackend>(
        make_routed_backend(store, request), *store.objects, std::move(places),
        [&store](const FarPlace& place) { return make_fetch(store, place, k_patience); },
        [] { return SystemClock().now(); });
}

AttemptResult enter_elsewhere(const OpenStore& store, const FarShell& shell) {
    if (get_string(shell.profile.settings, "backend") != k_ssh) {
        throw Error(ExitCode::invalid,
                    fmt::format("amp shell does not reach what profile '{}' is for", shell.profile.name));
    }
    ShellPlace place{get_string(shell.profile.settings, "host"),
                     get_string(shell.profile.settings, "root"),
                     shell.run,
                     shell.id,
                     shell.command,
                     shell.stays};
    if (!shell.made) {
        return enter_far_place(place);
    }
    SshBackendOptions options;
    options.host = place.host;
    options.root = place.root;
    options.run = place.run = make_run_id(SystemClock().now(), random_bits());
    options.number_base = k_numbers_of_a_profile;
    options.project_folder = shell.made->project_folder;
    options.code = shell.made->code;
    options.secrets = shell.made->secrets;
    MadePlace made(*store.objects, *store.files, std::move(options), shell.made->spec, shell.made->tell);
    place.words_before = MadePlace::words_before();
    place.stays = [&made] { made.keep(); };
    return enter_far_place(place);
}

/// What main alone can add to the world: things that few commands need.
void add_rare(Services& services) {
    services.run_foreground = [](const OpenStore& store, const ForegroundTask& task) {
        return run_in_foreground({task.spec, task.folder, task.shell, task.secrets, task.output, store.folder,
                                  *store.objects, *store.files});
    };
    services.enter_elsewhere = enter_elsewhere;
    services.open_unchecked = [](const std::string& folder) {
        std::error_code unknown;
        if (!std::filesystem::is_directory(folder, unknown)) {
            throw Error(ExitCode::not_found, "there is no store", folder, "'amp run' makes one");
        }
        return OpenStore{std::make_unique<DirectoryStore>(folder), std::make_unique<LocalAppendFiles>(folder),
                         std::filesystem::absolute(folder).string()};
    };
    services.look_at_host = [](const std::string& store_folder) {
        HostFacts facts =
            probe_host(store_folder, {"bash", "sh", "git", "python3", "uv", "micromamba", "mamba", "conda"});
        for (const Gpu& gpu : visible_gpus()) {
            facts.gpus.push_back(gpu.name);
        }
        return facts;
    };
    services.prune_scratch = [](bool dry) {
        return prune_remains(fmt::format("{}/amp-{}", probe_scratch_folder().first, getuid()), dry);
    };
}

/// What is longer than `most` is cut somewhere behind it.
std::string read_all_input(std::size_t most = static_cast<std::size_t>(-1)) {
    std::string out;
    std::array<char, 65536> buffer{};
    ssize_t n = 0;
    while (out.size() <= most &&
           ((n = read(STDIN_FILENO, buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR))) {
        out.append(buffer.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    return out;
}

ExitCode with_services(const Environment& environment, bool signals,
                       const std::function<ExitCode(Services&)>& work) {
    SystemClock clock;
    LocalFiles files;
    ToolProcess process;
    std::optional<SignalWaiter> signal_waiter;
    PollWaiter poll_waiter;
    if (signals) {
        signal_waiter.emplace();
    }
    Services services{clock,
                      files,
                      process,
                      signals ? std::ref<Waiter>(*signal_waiter) : std::ref<Waiter>(poll_waiter),
                      [&clock](const std::string& folder, bool create) {
                          return open_local_store(folder, create, clock.now());
                      },
                      make_backend,
                      [](const OpenStore& store, const std::string& run, const std::string& who) {
                          return ask_keeper_to_cancel(*store.files, run, who);
                      },
                      [] {
                          const Machine machine = measure_machine();
                          return Capacity{machine.cpu, machine.memory_bytes,
                                          static_cast<std::uint32_t>(visible_gpus().size())};
                      },
                      environment,
                      user_name(environment),
                      host_name(),
                      getpid()};
    services.ask_spawn = ask_keeper_to_spawn;
    if (signals && may_ask(environment)) {  // a run is about to begin; who only looks is not asked
        services.ask_secret = [](std::string_view question) { return prompt_for_secret(question); };
    }
    services.start_apart = start_apart;
    services.read_input = [text = std::optional<std::string>()]() mutable {  // it comes once
        if (!text) {
            text = read_all_input(k_flow_bytes);
        }
        return *text;
    };
    services.backends.emplace_back(k_ssh);
    services.make_fetch = make_fetch;
    add_rare(services);
    return work(services);
}

/// Large flows are many small pieces, made and freed together: pieces are joined as they are freed, rather
/// than in rounds over all of them, and memory is asked for in large parts and kept for what comes next.
void prepare_memory() {
    constexpr int k_part_bytes = 4 << 20;
    constexpr int k_kept_bytes = 64 << 20;
    constexpr int k_mapped_bytes = 32 << 20;  // what is larger goes back at once
    mallopt(M_MXFAST, 0);
    mallopt(M_TOP_PAD, k_part_bytes);
    mallopt(M_TRIM_THRESHOLD, k_kept_bytes);
    mallopt(M_MMAP_THRESHOLD, k_mapped_bytes);
}

int run_keeper(const std::vector<std::string>& arguments) {
    return keeper_main(parse_keeper_arguments(arguments));
}

/// Parts of amp that no user calls.
int run_hidden(int (*part)(const std::vector<std::string>&), const std::vector<std::string>& arguments) {
    try {
        return part(arguments);
    } catch (const std::exception& thrown) {
        Output out(descriptor_sink(STDOUT_FILENO), descriptor_sink(STDERR_FILENO), {});
        return static_cast<int>(report(out, thrown, false));
    }
}

/// `amp orchestrate`: what `--detach` starts.
int run_orchestrator(const Surroundings& surroundings) {
    UniqueFd answer_fd(fcntl(k_answer_fd, F_DUPFD_CLOEXEC, k_answer_fd + 1));
    close(k_answer_fd);
    const std::string request = read_all_input();
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    close(null);
    return orchestrate(surroundings, request, descriptor_sink(STDERR_FILENO), [&](const std::string& text) {
        descriptor_sink(answer_fd.get())(text);
        answer_fd.reset();
    });
}

}  // namespace
}  // namespace amp

int main(int argc, char** argv) {
    using namespace amp;
    hold_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error of the write
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (arguments == std::vector<std::string>{"--version"}) {  // asked for often: without building anything
        return print_result(version_facts().text, descriptor_sink(STDOUT_FILENO),
                            descriptor_sink(STDERR_FILENO));
    }
    if (arguments == std::vector<std::string>{std::string(k_container_init)}) {
        return container_init();
    }
    if (!arguments.empty() && arguments.front() == k_environment_run) {
        return environment_run(std::span(arguments).subspan(1));
    }
    if (!arguments.empty() && arguments.front() == "keeper") {
        return run_hidden(run_keeper, {arguments.begin() + 1, arguments.end()});
    }
    if (!arguments.empty() && arguments.front() == "agent") {
        return run_hidden(far_agent_main, {arguments.begin() + 1, arguments.end()});
    }
    if (!arguments.empty() && arguments.front() == k_enter_place) {
        return run_hidden(enter_place_main, {arguments.begin() + 1, arguments.end()});
    }
    prepare_memory();
    const Environment environment = read_environment(environ);
    const Surroundings surroundings{
        look_at_terminal(environment), environment,
        [&](bool signals, const std::function<ExitCode(Services&)>& work) {
            return with_services(environment, signals, work);
        },
        [&](const std::string& spec, bool echo, const auto& say) {
            return task_exec_main(spec, {echo ? STDOUT_FILENO : -1, say, environment});
        }};
    if (arguments == std::vector<std::string>{"orchestrate"}) {
        return run_orchestrator(surroundings);
    }
    return amp_main(arguments, surroundings, descriptor_sink(STDOUT_FILENO), descriptor_sink(STDERR_FILENO));
}
