#include "core/run/child_runs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/version.hpp"
#include "core/flow/first_error.hpp"
#include "core/flow/params.hpp"
#include "core/flow/project_config.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/drive.hpp"
#include "core/run/environments.hpp"
#include "core/run/parameters.hpp"
#include "core/run/record_run.hpp"
#include "core/run/secrets.hpp"
#include "core/store/layout.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_flow_bytes = std::uint64_t{64} << 20;

/// nullopt: there is none, or a link leads out of the project.
std::optional<std::string> read_inside(Services& services, const std::string& folder,
                                       const std::string& key) {
    const std::string path = folder + "/" + key;
    if (!services.files.info(path)) {
        return std::nullopt;
    }
    const std::string real = services.files.canonical(path);
    if (!real.starts_with(services.files.canonical(folder) + "/")) {
        return std::nullopt;
    }
    return services.files.read(real, k_flow_bytes);
}

/// What a child has from its parent, whichever way it came to be.
RunRecord inherited(Services& services, const RunRecord& parent, const TaskName& task) {
    RunRecord r;
    r.overrides = parent.overrides;
    r.project_folder = parent.project_folder;
    r.profile = parent.profile;
    r.profiles = parent.profiles;
    r.environments = parent.environments;
    r.git = parent.git;
    r.code = parent.code;
    r.user = services.user;
    r.host = services.host;
    r.version = k_version;
    r.max_workers = parent.max_workers;
    r.fit = parent.fit;
    r.parent = parent.run + "/" + task.text();
    r.depth = parent.depth + 1;
    if (r.depth > k_max_depth) {
        throw Error(ExitCode::invalid,
                    fmt::format("run {} is {} deep: it can have no run of its own", parent.run, parent.depth),
                    r.parent, fmt::format("at most {} are possible", k_max_depth));
    }
    return r;
}

void fill_from(RunRecord& record, const Flow& flow) {
    record.flow_name = flow.name;
    record.flow_source = flow.source;
    record.tags = flow.tags;
    record.keep_going = flow.keep_going;
}

Value stored_file(OpenStore& store, const std::string& folder, const std::string& name,
                  const std::string& path) {
    const ObjectInfo object =
        Objects(*store.objects).put_file(path.starts_with('/') ? path : folder + "/" + path);
    return FileRef{"params/" + name, object.sha256, object.size_bytes, false};
}

/// Only what the step gives, and defaults: what the caller's environment says is meant for the parent.
Value child_params(Services& services, OpenStore& store, const Flow& flow, const RunRecord& record,
                   const Value& given) {
    ParameterInputs in;
    in.recorded = given;
    in.secrets_inherited = true;
    in.file_exists = [&](const std::string& path) {
        return services.files.info(path.starts_with('/') ? path : record.project_folder + "/" + path)
            .has_value();
    };
    Diagnostics diagnostics;
    ResolvedParameters resolved = resolve_parameters(flow, in, diagnostics);
    if (diagnostics.has_errors()) {
        throw Error(ExitCode::invalid,
                    fmt::format("{}: {}", record.flow_path, first_error(diagnostics).message));
    }
    Object params = resolved.recordable();
    for (const auto& [name, path] : resolved.files) {
        params.insert_or_assign(name, stored_file(store, record.project_folder, name, path));
    }
    for (auto& [name, value] : params) {
        if (value.is_file()) {
            FileRef file = value.as_file();
            file.path = "params/" + name;
            value = std::move(file);
        }
    }
    return params;
}

std::string record_text(const ChildRun& child) {
    return json::dump(
        Object{{"schema", 1}, {"run", child.run}, {"task", child.task}, {"spawned", child.spawned}});
}

ChildRun child_from(const std::string& text, const std::string& key) {
    const Value value = json::parse(text, key);
    return {get_string(value, "run"), get_string(value, "task"), get_bool(value, "spawned"), false};
}

bool is_recorded(const OpenStore& store, const std::string& run) {
    return store.objects->size(layout::run_record(run)).has_value();
}

}  // namespace

Subflows read_subflows(Services& services, const Project& project, const Flow& flow, Diagnostics& diagnostics,
                       const RunRecord* record) {
    const bool any = std::any_of(flow.steps.begin(), flow.steps.end(),
                                 [](const Step& step) { return !step.subflow.empty(); });
    if (!any) {
        return {};
    }
    const std::string folder = record ? record->project_folder : project.folder;
    const auto own = subflow_key(folder, "", recorded_path(services, flow));
    SubflowSource source;
    source.folder = folder;
    source.key = own.value_or(flow.path);
    source.read = [&](const std::string& key) { return read_inside(services, folder, key); };
    source.config = [&](const Flow& child, Diagnostics& found) {
        return Value(read_config(services, project, child, {}, found));
    };
    source.overrides = record ? record->overrides : step_overrides(project.settings, project.profile);
    return load_subflows(flow, source, diagnostics);
}

Value recorded_flows(const Subflows& subflows) {
    Object out;
    for (const auto& [key, subflow] : subflows) {
        out.emplace(key, Object{{"source", subflow.flow.source},
                                {"config", subflow.config},
                                {"uses", List(subflow.uses.begin(), subflow.uses.end())}});
    }
    return out;
}

std::optional<ChildRun> find_child(const OpenStore& store, const std::string& run, const std::string& key) {
    const std::string place = layout::child(run, key);
    const auto stored = store.objects->get(place);
    if (!stored) {
        return std::nullopt;
    }
    ChildRun child = child_from(stored->bytes, place);
    child.existed = is_recorded(store, child.run);
    return child;
}

ChildRun ensure_child_run(Services& services, OpenStore& store, const std::string& parent,
                          const std::string& key, const std::string& task, RunRecord record) {
    store.objects->sync_pending();
    record.created = services.clock.now();
    auto child = find_child(store, parent, key);
    while (!child) {
        const std::string id = make_run_id(record.created, random_bits());
        const ChildRun fresh{id, task, record.spawned, false};
        if (!is_recorded(store, id)) {
            store.objects->put_if_absent(layout::child(parent, key), record_text(fresh));
        }
        child = find_child(store, parent, key);
    }
    record.run = child->run;
    if (!child->existed && !create_run(*store.objects, record.run, to_value(record))) {
        const RunRecord other = run_record_from(read_run(*store.objects, record.run));
        if (other.parent != record.parent) {  // another run got this id since: one in many millions
            throw Error(ExitCode::infrastructure,
                        fmt::format("the id {} of a run of {} was taken meanwhile", record.run, task),
                        layout::child(parent, key), "remove that file, then resume");
        }
    }
    return *child;
}

std::vector<ChildRun> children_of(const OpenStore& store, const std::string& run) {
    std::vector<ChildRun> out;
    std::string after;
    constexpr std::size_t k_at_once = 1000;
    while (true) {
        const auto keys = store.objects->list_after(layout::child_prefix(run), after, k_at_once);
        for (const std::string& key : keys) {
            if (const auto stored = store.objects->get(key)) {
                out.push_back(child_from(stored->bytes, key));
                out.back().existed = is_recorded(store, out.back().run);
            }
        }
        if (keys.size() < k_at_once) {
            break;
        }
        after = keys.back();
    }
    std::sort(out.begin(), out.end(), [](const ChildRun& a, const ChildRun& b) { return a.run < b.run; });
    return out;
}

RunRecord child_record(Services& services, OpenStore& store, const RunRecord& parent, const TaskName& task,
                       const ChildFlow& child) {
    const Value* file = parent.flows.find(child.file);
    if (file == nullptr) {
        throw Error(ExitCode::invalid, fmt::format("run {} has no flow {}", parent.run, child.file));
    }
    RunRecord r = inherited(services, parent, task);
    r.profile = child.profile;
    r.flow_path = parent.project_folder + "/" + child.file;
    Diagnostics diagnostics;
    const Flow flow = load_flow(get_string(*file, "source"), r.flow_path, diagnostics, r.overrides);
    fill_from(r, flow);
    r.flows = parent.flows;
    r.env = parent.env;
    if (const Value* config = file->find("config")) {
        r.config = *config;
    }
    r.params = child_params(services, store, flow, r, child.params);
    record_environments(services, &store, flow, {}, r, [](const std::string&) {});
    return r;
}

RunRecord spawned_record(Services& services, OpenStore& store, const RunRecord& parent, const TaskName& task,
                         const Value& request) {
    RunRecord r = inherited(services, parent, task);
    r.spawned = true;
    Project project;
    project.folder = parent.project_folder;
    project.profile = parent.profile;
    const std::string path = get_string(request, "flow");
    const auto key = subflow_key(parent.project_folder, "", path);
    const auto text = key ? read_inside(services, parent.project_folder, *key) : std::nullopt;
    if (!text) {
        throw Error(ExitCode::not_found, fmt::format("there is no flow '{}' in the project", path), path);
    }
    r.flow_path = parent.project_folder + "/" + *key;
    Diagnostics diagnostics;
    Flow flow = load_flow(*text, r.flow_path, diagnostics, r.overrides);
    const Value config = read_config(services, project, flow, {}, diagnostics);
    validate(flow, diagnostics, config);
    const Subflows subflows = read_subflows(services, project, flow, diagnostics, &r);
    if (diagnostics.has_errors()) {
        const Diagnostic first = first_error(diagnostics);
        throw Error(ExitCode::invalid,
                    fmt::format("{}:{}: {}", first.file.empty() ? r.flow_path : first.file, first.place.line,
                                first.message),
                    path, fmt::format("`amp validate {}` tells all", *key));
    }
    fill_from(r, flow);
    r.flows = recorded_flows(subflows);
    r.env = recorded_environment(services, flow, subflows);
    r.config = config;
    ParameterSources sources;
    for (const Value& pair : get_list(request, "params")) {
        sources.given.emplace_back(pair.as_list().at(0).as_string(), pair.as_list().at(1).as_string());
    }
    ParameterInputs in;
    in.given = sources.given;
    in.secrets_inherited = true;
    in.file_exists = [&](const std::string& file) { return services.files.info(file).has_value(); };
    ResolvedParameters resolved = resolve_parameters(flow, in, diagnostics);
    if (diagnostics.has_errors()) {
        const Diagnostic first = first_error(diagnostics);
        throw Error(ExitCode::invalid, first.message, path, first.hint);
    }
    look_up_all_secrets(services, r.project_folder, flow, subflows);
    Object params = resolved.recordable();
    for (const auto& [name, file] : resolved.files) {
        params.insert_or_assign(name, stored_file(store, r.project_folder, name, file));
    }
    r.params = std::move(params);
    record_environments(services, &store, flow, subflows, r, [](const std::string&) {});
    return r;
}

std::map<std::string, Artifact> child_outputs(OpenStore& store, const RunData& child,
                                              const std::vector<TaskOutput>& outputs) {
    std::map<std::string, Artifact> out;
    for (const TaskOutput& output : outputs) {
        const SubflowOutput wanted = parse_subflow_output(output.path);
        const StepId step = child.graph().id(wanted.step);
        const auto task = step < child.graph().nodes.size() ? child.plan().find(step, {}) : std::nullopt;
        const auto* made = task ? child.artifacts(*task) : nullptr;
        const auto found = made ? made->find(wanted.artifact) : decltype(made->begin()){};
        if (made == nullptr || found == made->end()) {
            if (output.optional) {
                continue;
            }
            throw Error(ExitCode::not_found, fmt::format("output '{}' is missing: run {} made no {}",
                                                         output.name, child.record().run, output.path));
        }
        out.emplace(output.name, found->second);
    }
    if (take_out_of_packs(store, out)) {
        store.objects->sync_pending();
    }
    return out;
}

}  // namespace amp
