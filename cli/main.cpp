// The only file that knows which ports and backends there are: it builds the world, and cli does the rest.

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "backends/local/keeper_contact.hpp"
#include "backends/local/keeper_options.hpp"
#include "backends/local/local_backend.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "backends/system/local_files.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/signal_waiter.hpp"
#include "backends/system/system_clock.hpp"
#include "backends/system/tool_process.hpp"
#include "cli/amp_main.hpp"
#include "cli/poll_waiter.hpp"
#include "cli/process_facts.hpp"
#include "cli/report.hpp"
#include "core/base/version.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

OpenStore open_local_store(const std::string& folder, bool create, Timestamp now) {
    std::error_code error;
    if (!create && !std::filesystem::exists(folder + "/" + layout::store_record(), error)) {
        throw Error(ExitCode::not_found, "there are no runs yet", folder, "'amp run' starts one");
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
    return std::make_unique<LocalBackend>(*store.files, std::move(options));
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
                      signals ? static_cast<Waiter&>(*signal_waiter) : poll_waiter,
                      [&clock](const std::string& folder, bool create) {
                          return open_local_store(folder, create, clock.now());
                      },
                      make_local_backend,
                      [](const OpenStore& store, const std::string& run, const std::string& who) {
                          return ask_keeper_to_cancel(*store.files, run, who);
                      },
                      [] {
                          const Machine machine = measure_machine();
                          return Capacity{machine.cpu, machine.memory_bytes, 0};
                      },
                      environment,
                      user_name(environment),
                      host_name(),
                      getpid()};
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
    try {
        return keeper_main(parse_keeper_arguments(arguments));
    } catch (const std::exception& thrown) {
        Output out(descriptor_sink(STDOUT_FILENO), descriptor_sink(STDERR_FILENO), {});
        return static_cast<int>(report(out, thrown, false));
    }
}

}  // namespace
}  // namespace amp

int main(int argc, char** argv) {
    using namespace amp;
    hold_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    if (arguments == std::vector<std::string>{"--version"}) {  // asked for often: without building anything
        return descriptor_sink(STDOUT_FILENO)(std::string("amp ") + k_version + "\n") == 0 ? 0 : 1;
    }
    if (!arguments.empty() && arguments.front() == "keeper") {
        return run_keeper({arguments.begin() + 1, arguments.end()});
    }
    prepare_memory();
    const Environment environment = read_environment(environ);
    const Surroundings surroundings{look_at_terminal(), environment,
                                    [&](bool signals, const std::function<ExitCode(Services&)>& work) {
                                        return with_services(environment, signals, work);
                                    }};
    return amp_main(arguments, surroundings, descriptor_sink(STDOUT_FILENO), descriptor_sink(STDERR_FILENO));
}
