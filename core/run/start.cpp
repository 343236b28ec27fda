#include "core/run/start.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/ids.hpp"
#include "core/base/stream_path.hpp"
#include "core/base/text.hpp"
#include "core/base/version.hpp"
#include "core/flow/load.hpp"
#include "core/flow/project_config.hpp"
#include "core/flow/schema.hpp"
#include "core/flow/setting.hpp"
#include "core/flow/validate_constants.hpp"
#include "core/package/code_notes.hpp"
#include "core/run/changes.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/containers.hpp"
#include "core/run/drive.hpp"
#include "core/run/environments.hpp"
#include "core/run/given.hpp"
#include "core/run/parameters.hpp"
#include "core/run/partial.hpp"
#include "core/run/profiles.hpp"
#include "core/run/python_flow.hpp"
#include "core/run/record_run.hpp"
#include "core/run/reference.hpp"
#include "core/run/requests.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/run_record.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/secret_files.hpp"
#include "core/run/secrets.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/turns.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

constexpr std::string_view k_local = "local";

/// More than load_flow takes, so that it is load_flow which says so.
constexpr std::uint64_t k_flow_bytes = std::uint64_t{64} << 20;

constexpr std::string_view k_input = "-";
constexpr std::string_view k_input_path = "<stdin>";  ///< as what a flow from there is shown and recorded

std::string flow_path(Services& services, const Project& project, const std::string& given) {
    if (given == k_input) {
        return std::string(k_input_path);
    }
    if (!given.empty()) {
        return given;
    }
    std::string here = "flow.toml";
    if (services.files.info(here)) {
        return here;
    }
    std::string in_project = project.folder + "/flow.toml";
    if (services.files.info(in_project)) {
        return in_project;
    }
    throw Error(ExitCode::not_found, "there is no flow.toml here", services.files.current_folder(),
                "name the flow's file: `amp run path/to/flow.toml`");
}

/// It came through a pipe.
bool has_no_place(const Flow& flow) {
    return flow.path == k_input_path || names_stream(flow.path);
}

void note_warnings(const LoadedFlow& loaded, RunObserver& observer) {
    for (const Diagnostic& warning : loaded.diagnostics.sorted()) {
        if (warning.code == "AMP1113" || warning.code == "AMP1114") {
            continue;  // of the defaults: the run's own values were looked at
        }
        observer.note(fmt::format("warning[{}]: {}:{}: {}", warning.code, loaded.flow.path,
                                  warning.place.line, warning.message));
    }
}

/// A project whose git cannot be asked is outside git; the user should know when that is not meant.
void note_refusal(Services& services, const RunRecord& record, RunObserver& observer) {
    if (!record.git && git_refuses(services.process, record.project_folder)) {
        observer.note(
            fmt::format("git refuses to look at {}, since it belongs to another user: the project is treated "
                        "as one outside git; "
                        "`git config --global --add safe.directory '{}'` mends that",
                        record.project_folder, record.project_folder));
    }
}

/// @param store for files and code; null: those are not kept, and the code is not looked at
RunRecord make_record(Services& services, OpenStore* store, const Project& project, const LoadedFlow& loaded,
                      const StartOptions& options, const RunRecord* like) {
    const Flow& flow = loaded.flow;
    RunRecord r;
    r.flow_name = flow.name;
    r.flow_path = recorded_path(services, flow);
    r.flow_source = flow.source;
    r.overrides = step_overrides(project.settings, project.profile);
    r.project_folder = project.folder;
    r.profile = project.profile;
    r.profiles = recorded_profiles(project.settings);
    const ResolvedInputs inputs = resolve_inputs(services, store, project, flow, options.params, like);
    r.config_files = options.params.config;
    r.params = inputs.params;
    Diagnostics of_values;
    validate_constants(flow, loaded.graph, &r.params.as_object(), of_values);
    if (of_values.has_errors()) {
        throw InvalidFlow(std::move(of_values), flow.path, flow.source);
    }
    r.config = inputs.config;
    r.flows = recorded_flows(loaded.subflows);
    r.env = recorded_environment(services, flow, loaded.subflows);
    r.git = git_state(services.process, project.folder);
    if (store) {
        r.code = scan_project(services, *store, project.folder, flow, code_limits(project.settings), true);
    }
    r.tags = flow.tags;
    r.tags.insert(r.tags.end(), options.tags.begin(), options.tags.end());
    std::for_each(r.tags.begin(), r.tags.end(), check_tag_name);
    r.user = services.user;
    r.host = services.host;
    r.version = k_version;
    r.keep_going = options.keep_going.value_or(flow.keep_going);
    r.until = options.until;
    r.only = options.only;
    r.concurrency = options.concurrency.value_or(flow.concurrency);
    if (options.max_workers) {
        r.max_workers = *options.max_workers;
    } else if (flow.max_workers) {
        const RecordScope scope(r, flow.name);
        r.max_workers =
            static_cast<std::size_t>(setting_int(*flow.max_workers, scope, "flow.max_workers", 1, 100000));
    }
    if (options.fit) {
        r.fit = true;
        r.cuts = expected_cuts(flow, r, services.machine());
    }
    return r;
}

void check_backend(const Services& services, const Project& project, const std::string& profile) {
    const std::string backend = backend_of(project.settings, profile);
    if (std::find(services.backends.begin(), services.backends.end(), backend) == services.backends.end()) {
        throw Error(ExitCode::invalid,
                    fmt::format("profile '{}' runs tasks on {}, which this version of amp cannot do yet",
                                profile, backend),
                    project.folder + "/amp.toml", "run them on this machine: --on local");
    }
}

/// Of the run's profile, and of those that steps name outright.
void check_backends(const Services& services, const Project& project, const Flow& flow) {
    check_backend(services, project, project.profile);
    for (const Step& step : flow.steps) {
        if (step.on && step.on->value.is_string() && !has_expression(step.on->value.as_string())) {
            check_backend(services, project, step.on->value.as_string());
        }
    }
}

/// What depends on where the flow would run.
void check_surroundings(Services& services, const Project& project, LoadedFlow& loaded, bool starting,
                        bool fit) {
    const std::string backend = backend_of(project.settings, project.profile);
    if (starting) {
        check_backends(services, project, loaded.flow);
    }
    if (!fit && backend == k_local) {
        const Capacity machine = services.machine();
        MachineLimits limits{machine.cpu, machine.memory_bytes, machine.gpu};
        if (machine.memory_bytes == 0) {
            limits.memory_bytes.reset();  // could not be measured
        }
        validate_requests(loaded.flow, limits, loaded.diagnostics);
    }
    const FlowSurroundings surroundings{
        [&services](const std::string& name) { return services.environment.contains(name); },
        [&services, &project] { return git_state(services.process, project.folder).has_value(); },
        [&services, &project](const std::string& path) {
            return services.files.info(path.starts_with('/') ? path : project.folder + "/" + path)
                .has_value();
        }};
    validate_surroundings(loaded.flow, loaded.graph, surroundings, starting, loaded.diagnostics);
}

}  // namespace

InvalidFlow::InvalidFlow(Diagnostics diagnostics, std::string path, std::string source)
    : InvalidFlow(Error(ExitCode::invalid,
                        fmt::format("{} has {} error{}", path, diagnostics.error_count(),
                                    diagnostics.error_count() == 1 ? "" : "s"),
                        path),
                  std::move(diagnostics), path, std::move(source)) {}

InvalidFlow::InvalidFlow(Error error, Diagnostics diagnostics, std::string path, std::string source)
    : Error(std::move(error)),
      diagnostics_(std::move(diagnostics)),
      path_(std::move(path)),
      source_(std::move(source)) {}

LoadedFlow load_and_validate(Services& services, const Project& project, const std::string& path,
                             const std::vector<std::pair<std::string, std::string>>& config_files,
                             bool starting, bool fit) {
    LoadedFlow loaded;
    const std::string file = flow_path(services, project, path);
    const std::string text =
        path == k_input ? services.read_input() : services.files.read(file, k_flow_bytes);
    if (is_python_flow(file)) {
        throw Error(ExitCode::invalid,
                    "flows in Python can only be checked, and not run, by this version of amp", file,
                    "`amp validate` checks it; what amp runs is a flow.toml");
    }
    loaded.flow =
        load_flow(text, file, loaded.diagnostics, step_overrides(project.settings, project.profile));
    ParameterSources sources;
    sources.config = config_files;
    const Value config = read_config(services, project, loaded.flow, sources, loaded.diagnostics);
    loaded.graph = validate(loaded.flow, loaded.diagnostics, config);
    check_against_project(loaded.flow, project.settings, project.profile, loaded.diagnostics);
    check_surroundings(services, project, loaded, starting, fit);
    loaded.subflows = read_subflows(services, project, loaded.flow, loaded.diagnostics);
    return loaded;
}

std::string recorded_path(Services& services, const Flow& flow) {
    if (has_no_place(flow)) {
        return std::string(k_input_path);
    }
    return services.files.canonical(flow.path);
}

std::string create_recorded_run(Services& services, OpenStore& store, RunRecord& record) {
    store.objects->sync_pending();
    for (;;) {
        record.created = services.clock.now();
        if (record.run.empty()) {
            record.run = make_run_id(record.created, random_bits());
        }
        if (create_run(*store.objects, record.run, to_value(record))) {
            break;
        }
        record.run.clear();
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

namespace {

/// The record of the run that a new one shall be like; the options then name its flow and --config.
std::optional<RunRecord> settle_like(Services& services, const Project& project, StartOptions& options) {
    if (options.like.empty()) {
        options.like = options.origin;
    }
    if (options.like.empty()) {
        return std::nullopt;
    }
    const OpenStore store = services.open_store(project.store_folder, false);
    RunRecord like = run_record_from(read_run(*store.objects, resolve_run(*store.objects, options.like)));
    if (options.flow.empty() && services.files.info(like.flow_path)) {
        options.flow = like.flow_path;
    }
    options.params.config = config_files_of(like, options.params.config);
    return like;
}

void note_other_code(const RunRecord& like, const RunRecord& record, RunObserver& observer) {
    if (like.flow_source != record.flow_source) {
        observer.note(fmt::format("{} differs from that of run {}", record.flow_path, like.run));
    }
    const std::string differing = code_changes(like.code, record.code);
    if (!differing.empty()) {
        observer.note(fmt::format("code differs from that of run {}: {}", like.run, differing));
    }
}

void check_parts(const StartOptions& options, const Flow& flow) {
    if (options.only.empty() != options.origin.empty()) {
        throw Error(ExitCode::usage, "--only and --origin RUN belong together", "",
                    "--only does steps alone, with what RUN has of those before them");
    }
    if (!options.only.empty() && !options.until.empty()) {
        throw Error(ExitCode::usage, "--only and --until exclude each other");
    }
    check_step_names(flow, options.until, "--until");
    check_step_names(flow, options.only, "--only");
}

}  // namespace

RunRecord prospective_record(Services& services, const Project& project, const StartOptions& given,
                             LoadedFlow& loaded) {
    StartOptions options = given;
    const std::optional<RunRecord> like = settle_like(services, project, options);
    loaded = load_and_validate(services, project, options.flow, options.params.config, true, options.fit);
    if (loaded.diagnostics.has_errors()) {
        throw InvalidFlow(std::move(loaded.diagnostics), loaded.flow.path, loaded.flow.source);
    }
    check_parts(options, loaded.flow);
    RunRecord record = make_record(services, nullptr, project, loaded, options, like ? &*like : nullptr);
    try {
        record_containers(services, project.settings, loaded.flow, loaded.subflows, record, false,
                          [](const std::string&) {});
    } catch (const Error& error) {
        if (error.code() != ExitCode::infrastructure) {  // no engine: the run will say so
            throw;
        }
    }
    record_environments(services, nullptr, loaded.flow, loaded.subflows, record, [](const std::string&) {});
    return record;
}

namespace {

/// Notes that are told once nothing can be refused any more.
class KeptNotes : public RunObserver {
  public:
    void note(const std::string& text) override { notes_.push_back(text); }
    void tell(RunObserver& observer) const {
        for (const std::string& text : notes_) {
            observer.note(text);
        }
    }

  private:
    std::vector<std::string> notes_;
};

/// What is not done is said, clean-up steps above all.
void note_partial(const RunRecord& record, const Flow& whole, RunObserver& observer) {
    const std::vector<std::string> outside = outside_steps(whole, record);
    observer.note(fmt::format("a partial run, {}{}", partial_text(record),
                              outside.empty() ? "" : "; no part of it: " + join(outside, ", ")));
}

/// What is heavy, or not what it seems; and what an image is to hold.
void note_code(const RunRecord& record, RunObserver& observer) {
    const CodeManifest& code = record.code;
    for (const std::string& note : code_notes(code)) {
        observer.note(note);
    }
    if (code.mode == CodeMode::files) {
        return;
    }
    const std::string commit =
        code.base.empty() ? "the code, of which git knows no commit" : "commit " + code.base.substr(0, 12);
    const bool left_out = code.mode == CodeMode::image && record.git && record.git->dirty;
    observer.note(fmt::format("code = \"{}\": images are to hold {}{}", code_mode_name(code.mode), commit,
                              left_out ? "; what is not committed is not shipped" : ""));
}

void note_beginning(Services& services, const RunRecord& record, const LoadedFlow& loaded,
                    const RunRecord* like, RunObserver& observer) {
    note_refusal(services, record, observer);
    note_warnings(loaded, observer);
    note_unused_keys(loaded.flow, observer);
    for (const std::string& cut : record.cuts) {
        observer.note(cut);
    }
    note_code(record, observer);
    if (like) {
        note_other_code(*like, record, observer);
    }
    if (record.partial()) {
        note_partial(record, loaded.flow, observer);
    }
}

/// Before there is a run: all that its tasks could lack.
void check_inputs(Services& services, OpenStore& store, const Project& project, const RunRecord& record,
                  const RecordedFlow& flow, const Subflows& subflows) {
    if (!record.only.empty()) {
        const RunData data(record, flow.flow, flow.graph);
        check_given(data, *read_whole_run(store, record.origin).data);
    }
    look_up_all_secrets(services, project.folder, flow.flow, subflows);
}

}  // namespace

PreparedRun prepare_start(Services& services, const Project& project, const StartOptions& given,
                          RunObserver& observer) {
    StartOptions options = given;
    const std::optional<RunRecord> like = settle_like(services, project, options);
    LoadedFlow loaded =
        load_and_validate(services, project, options.flow, options.params.config, true, options.fit);
    if (loaded.diagnostics.has_errors()) {
        throw InvalidFlow(std::move(loaded.diagnostics), loaded.flow.path, loaded.flow.source);
    }
    check_parts(options, loaded.flow);
    check_place(services, project, has_no_place(loaded.flow) ? std::string() : loaded.flow.path);
    OpenStore store = services.open_store(project.store_folder, true);
    check_secret_files(services, store, project, loaded.flow, loaded.subflows, options.params);
    RunRecord record = make_record(services, &store, project, loaded, options, like ? &*like : nullptr);
    if (!options.origin.empty()) {
        record.origin = resolve_run(*store.objects, options.origin);
    }
    KeptNotes notes;
    note_beginning(services, record, loaded, like ? &*like : nullptr, notes);
    auto flow = recorded_flow(std::move(loaded.flow), std::move(loaded.graph), record);
    check_inputs(services, store, project, record, *flow, loaded.subflows);
    record_containers(services, project.settings, flow->flow, loaded.subflows, record, true,
                      [&observer](const std::string& text) { observer.note(text); });
    record_environments(services, &store, flow->flow, loaded.subflows, record,
                        [&observer](const std::string& text) { observer.note(text); });
    PreparedRun prepared;
    if (record.concurrency == "skip") {
        store.objects->sync_pending();
        record.run = make_run_id(services.clock.now(), random_bits());
        prepared.skipped_for = Turns(services, store, record.flow_name).claim(record.run);
        if (!prepared.skipped_for.empty()) {
            return prepared;
        }
    }
    notes.tell(observer);
    prepared.run = create_recorded_run(services, store, record);
    prepared.flow = std::move(flow);
    prepared.drive.no_cache = options.no_cache;
    prepared.drive.hold_s = options.hold_s;
    return prepared;
}

RunOutcome start_run(Services& services, const Project& project, const StartOptions& options,
                     RunObserver& observer) {
    PreparedRun prepared = prepare_start(services, project, options, observer);
    OpenStore store = services.open_store(project.store_folder, true);
    return drive_prepared(services, store, std::move(prepared), observer);
}

}  // namespace amp
