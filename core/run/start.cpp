#include "core/run/start.hpp"

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/base/version.hpp"
#include "core/flow/load.hpp"
#include "core/flow/project_config.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/setting.hpp"
#include "core/run/drive.hpp"
#include "core/run/parameters.hpp"
#include "core/run/record_run.hpp"
#include "core/run/run_record.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/spec_builder.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

/// More than load_flow takes, so that it is load_flow which says so.
constexpr std::uint64_t k_flow_bytes = std::uint64_t{64} << 20;

std::string flow_path(Services& services, const Project& project, const std::string& given) {
    if (!given.empty()) {
        return given;
    }
    const std::string here = "flow.toml";
    if (services.files.info(here)) {
        return here;
    }
    const std::string in_project = project.folder + "/flow.toml";
    if (services.files.info(in_project)) {
        return in_project;
    }
    throw Error(ExitCode::not_found, "there is no flow.toml here", services.files.current_folder(),
                "name the flow's file: `amp run path/to/flow.toml`");
}

void note_warnings(const LoadedFlow& loaded, RunObserver& observer) {
    for (const Diagnostic& warning : loaded.diagnostics.sorted()) {
        observer.note(fmt::format("warning[{}]: {}:{}: {}", warning.code, loaded.flow.path,
                                  warning.place.line, warning.message));
    }
}

RunRecord make_record(Services& services, OpenStore& store, const Project& project, const LoadedFlow& loaded,
                      const StartOptions& options) {
    const Flow& flow = loaded.flow;
    RunRecord r;
    r.flow_name = flow.name;
    r.flow_path = services.files.canonical(flow.path);
    r.flow_source = flow.source;
    r.overrides = step_overrides(project.settings, project.profile);
    r.project_folder = project.folder;
    r.profile = project.profile;
    const ResolvedInputs inputs = resolve_inputs(services, store, project, flow, options.params, nullptr);
    r.params = inputs.params;
    r.config = inputs.config;
    r.env = recorded_environment(services, flow);
    r.git = git_state(services.process, project.folder);
    r.code = scan_project(services, store, project.folder, true);
    r.tags = flow.tags;
    r.tags.insert(r.tags.end(), options.tags.begin(), options.tags.end());
    r.user = services.user;
    r.host = services.host;
    r.version = k_version;
    r.keep_going = options.keep_going.value_or(flow.keep_going);
    if (options.max_workers) {
        r.max_workers = *options.max_workers;
    } else if (flow.max_workers) {
        const RecordScope scope(r, flow.name);
        r.max_workers =
            static_cast<std::size_t>(setting_int(*flow.max_workers, scope, "flow.max_workers", 1, 100000));
    }
    return r;
}

}  // namespace

InvalidFlow::InvalidFlow(Diagnostics diagnostics, std::string path, std::string source)
    : Error(ExitCode::invalid,
            fmt::format("{} has {} error{}", path, diagnostics.error_count(),
                        diagnostics.error_count() == 1 ? "" : "s"),
            path),
      diagnostics_(std::move(diagnostics)),
      path_(std::move(path)),
      source_(std::move(source)) {}

LoadedFlow load_and_validate(Services& services, const Project& project, const std::string& path,
                             const std::vector<std::pair<std::string, std::string>>& config_files) {
    LoadedFlow loaded;
    const std::string file = flow_path(services, project, path);
    const std::string text = services.files.read(file, k_flow_bytes);
    loaded.flow =
        load_flow(text, file, loaded.diagnostics, step_overrides(project.settings, project.profile));
    const ParameterSources sources{{}, {}, config_files};
    const Value config = read_config(services, project, loaded.flow, sources, loaded.diagnostics);
    loaded.graph = validate(loaded.flow, loaded.diagnostics, config);
    check_against_project(loaded.flow, project.settings, project.profile, loaded.diagnostics);
    const Capacity machine = services.machine();
    const MachineLimits limits{machine.cpu, machine.memory_bytes, machine.gpu, true};
    validate_requests(loaded.flow, limits, loaded.diagnostics);
    return loaded;
}

std::string create_recorded_run(Services& services, OpenStore& store, RunRecord& record) {
    store.objects->sync_pending();
    for (;;) {
        record.created = services.clock.now();
        record.run = make_run_id(record.created, random_bits());
        if (create_run(*store.objects, record.run, to_value(record))) {
            break;
        }
    }
    for (const std::string& tag : record.tags) {
        set_tag(*store.objects, record.run, tag, true, record.user, record.created);
    }
    return record.run;
}

void note_unused_keys(const Flow& flow, RunObserver& observer) {
    for (const LaterKey& key : keys_not_acted_upon(flow)) {
        observer.note(fmt::format("{}:{}: {} is not acted upon yet", flow.path, key.place.line, key.key));
    }
}

RunOutcome start_run(Services& services, const Project& project, const StartOptions& options,
                     RunObserver& observer) {
    LoadedFlow loaded = load_and_validate(services, project, options.flow, options.params.config);
    if (loaded.diagnostics.has_errors()) {
        throw InvalidFlow(std::move(loaded.diagnostics), loaded.flow.path, loaded.flow.source);
    }
    OpenStore store = services.open_store(project.store_folder, true);
    RunRecord record = make_record(services, store, project, loaded, options);
    note_warnings(loaded, observer);
    note_unused_keys(loaded.flow, observer);
    const std::string run = create_recorded_run(services, store, record);
    return drive_run(services, store, run, DriveOptions{}, observer);
}

ExitCode RunOutcome::exit_code() const {
    if (interrupted) {
        constexpr int k_sigint = 2;
        return signal != 0 && signal != k_sigint ? ExitCode::terminated : ExitCode::interrupted;
    }
    if (state == RunState::succeeded) {
        return ExitCode::ok;
    }
    if (timed_out) {
        return ExitCode::timeout;
    }
    if (state == RunState::cancelled) {
        return ExitCode::cancelled;
    }
    switch (first_cause) {
        case Cause::evicted:
        case Cause::preempted:
        case Cause::image:
        case Cause::node:
        case Cause::quota:
        case Cause::lost:
        case Cause::infra:
            return ExitCode::infrastructure;
        default:
            return ExitCode::flow_failed;
    }
}

}  // namespace amp
