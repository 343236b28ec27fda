#include "core/run/spec_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/flow/params.hpp"
#include "core/flow/references.hpp"
#include "core/flow/setting.hpp"
#include "core/flow/subflows.hpp"
#include "core/package/code_manifest.hpp"
#include "core/run/containers.hpp"
#include "core/run/definition_parts.hpp"
#include "core/run/environments.hpp"
#include "core/run/profiles.hpp"
#include "core/run/requests.hpp"
#include "core/run/secrets.hpp"
#include "core/task/python_environment.hpp"

namespace amp {
namespace {

/// Longer values reach the task as a file: `@PATH`.
constexpr std::size_t k_env_limit = std::size_t{32} << 10;

LateText plain(std::string text) {
    return {Piece{Piece::Kind::text, std::move(text)}};
}

Artifact in_line(Value value) {
    const std::string text = json::dump(value);
    return Artifact{Artifact::Kind::value, std::move(value), sha256_hex(text), text.size(), {}, 0};
}

/// A variable with JSON in it, or with `@` and the path of a file that holds it.
void add_json(TaskSpec& spec, const std::string& name, const Value& value, const std::string& file) {
    std::string text = json::dump(value);
    if (text.size() <= k_env_limit) {
        spec.env.emplace_back(name, plain(std::move(text)));
        return;
    }
    spec.inputs.push_back(TaskInput{file, in_line(value)});
    spec.env.emplace_back(name,
                          LateText{Piece{Piece::Kind::text, "@"}, Piece{Piece::Kind::input, file + ".json"}});
}

/// Secrets come by variables of their own, whose values no spec holds.
Object without_secrets(Object params, const Flow& flow) {
    for (const Parameter& parameter : flow.params) {
        if (parameter.type == Parameter::Type::secret) {
            params.erase(parameter.name);
        }
    }
    return params;
}

/// As JSON, with files as the paths at which the task finds them; empty: too long for a variable.
LateText params_text(const Object& params) {
    LateText out = plain("{");
    std::size_t size = 0;
    for (const auto& [name, value] : params) {
        std::string& text = out.back().text;
        text += (&name == &params.begin()->first ? "" : ",") + json::quote(name) + ":";
        if (value.is_file()) {
            text += '"';
            size += text.size() + value.as_file().path.size();
            out.push_back({Piece::Kind::input, value.as_file().path});
            out.push_back({Piece::Kind::text, "\""});
        } else {
            json::dump_to(text, value);
        }
    }
    out.back().text += '}';
    return size + out.back().text.size() <= k_env_limit ? out : LateText();
}

/// For a file, where no late text can be: its files are named from $AMP_IN on.
Value params_value(Object params) {
    for (auto& [name, value] : params) {
        if (value.is_file()) {
            value = Value(std::string(value.as_file().path));
        }
    }
    return params;
}

Value subset(const Value& object, const std::set<std::string>& names) {
    Object out;
    for (const std::string& name : names) {
        if (const Value* value = object.find(name)) {
            out.emplace(name, *value);
        }
    }
    return out;
}

bool is_static(const Setting& setting) {
    Diagnostics ignored;
    return expressions_of(setting, ignored).empty();
}

/// @param fixed what is the same for all tasks of the step, with its gang; nullopt: nothing is
void add_requests(TaskSpec& spec, const Step& step, const Scope& scope, const std::optional<Resources>& fixed,
                  const std::optional<Gang>& fixed_gang) {
    spec.resources = fixed ? *fixed : evaluate_resources(step, scope);
    spec.gang = fixed ? fixed_gang : evaluate_gang(step, scope, spec.resources);
}

/// Where there is one process a GPU, there are more of them, too.
void grow_requests(TaskSpec& spec, const Step& step, const Scope& scope, std::uint32_t ooms) {
    if (ooms > 0) {
        grow_resources(spec.resources, step.retry, ooms);
        spec.gang = evaluate_gang(step, scope, spec.resources);
    }
}

/// A declared path that begins with ./ lies below the working folder, not below $AMP_OUT.
void put_into_cwd(LateText& text, const std::string& cwd) {
    for (Piece& piece : text) {
        if (piece.kind == Piece::Kind::output && piece.text.starts_with("./")) {
            piece = {Piece::Kind::text, cwd + piece.text.substr(1)};
        }
    }
}

void put_into_cwd(TaskSpec& spec) {
    if (spec.cwd.empty()) {
        return;
    }
    for (LateText& word : spec.argv) {
        put_into_cwd(word, spec.cwd);
    }
    for (auto& [name, text] : spec.env) {
        put_into_cwd(text, spec.cwd);
    }
}

/// The image is what its name meant when the run began, whatever that means by now.
void add_container(TaskSpec& spec, const RecordedContainer& container, Object& definition) {
    if (container.image.empty()) {
        return;
    }
    spec.container = Container{container.image};
    definition.emplace("image", container.digest);
    if (!container.engine.empty()) {
        spec.env.emplace_back(k_engine_variable, plain(container.engine));
    }
}

/// The files that say what is in it are laid as an input: also on other machines.
void add_environment(TaskSpec& spec, const Step& step, const RunRecord& record, Object& definition) {
    if (spec.container) {
        return;
    }
    spec.environment = locked_environment(step, record, spec.profile);
    if (spec.environment) {
        spec.inputs.push_back({std::string(k_environment_input), spec.environment->files});
        definition.emplace("python", spec.environment->key);
    }
}

/// The name directly below $AMP_IN that an input takes.
std::string first_name(const TaskInput& input) {
    const std::size_t end = input.path.find('/');
    const bool alone = end == std::string::npos;
    return input.path.substr(0, end) + (alone && input.artifact.kind == Artifact::Kind::value ? ".json" : "");
}

}  // namespace

SpecBuilder::SpecBuilder(const RunData& data, ArtifactLoader load)
    : data_(data), load_(std::move(load)), project_folder_(data.record().project_folder) {}

void SpecBuilder::prepare_params(Prepared& p, const Step& step, const Value& params) const {
    const Object told = without_secrets(params.as_object(), data_.flow());
    for (const auto& [name, value] : told) {
        if (value.is_file()) {
            const FileRef& f = value.as_file();
            p.param_files.push_back(
                TaskInput{f.path, Artifact{Artifact::Kind::file, {}, f.sha256, f.size_bytes, {}, 0}});
        }
        p.params_env.emplace_back(parameter_variable(name), late_text(value));
    }
    for (const auto& [name, value] : params.as_object()) {
        if (!told.contains(name)) {
            p.secrets.emplace_back(parameter_variable(name), parameter_secret_key(name));
        }
    }
    p.secrets.insert(p.secrets.end(), step.secrets.begin(), step.secrets.end());
    p.params = params_text(told);
    if (p.params.empty()) {
        p.long_params = params_value(told);
    }
}

void SpecBuilder::prepare_definition(Prepared& p, const Step& step, const Value& params) const {
    const RunRecord& record = data_.record();
    List env;
    for (const auto& [name, text] : step.env) {
        env.push_back(List{name, text.source()});
    }
    List shell;
    if (step.command) {
        shell.assign(step.shell.begin(), step.shell.end());
    }
    p.definition = Object{{"run", run_source(step)},
                          {"shell", std::move(shell)},
                          {"env", std::move(env)},
                          {"cwd", step.cwd ? Value(step.cwd->source()) : Value()},
                          {"outputs", outputs_value(step)},
                          {"params", params},
                          {"config", subset(record.config, p.uses.config)},
                          {"environment", subset(record.env, p.uses.env)},
                          {"sources", sources_hash(step, record.code)}};
    if (!step.secrets.empty()) {
        List names;  // where they come from may differ between machines
        for (const auto& secret : step.secrets) {
            names.emplace_back(secret.first);
        }
        p.definition.emplace("secrets", std::move(names));
    }
    if (!step.subflow.empty()) {
        const std::string key = subflow_of(step, record);
        p.definition.emplace("flow", key);
        p.definition.emplace("flows", flows_hash(record.flows, key));
    }
}

const SpecBuilder::Prepared& SpecBuilder::prepare(StepId id) {
    const auto [it, fresh] = prepared_.try_emplace(id);
    Prepared& p = it->second;
    if (!fresh) {
        return p;
    }
    const Step& step = data_.step(id);
    const RunRecord& record = data_.record();
    p.uses = uses_of(step, data_.flow());
    const Value params = subset(record.params, p.uses.params);
    prepare_params(p, step, params);
    prepare_definition(p, step, params);
    const RecordScope scope(record, data_.flow().name);
    if (has_fixed_requests(step)) {
        p.resources = evaluate_resources(step, scope);
        p.gang = evaluate_gang(step, scope, *p.resources);
    }
    if (!step.on || is_static(*step.on)) {
        p.profile = elsewhere(record, profile_name(step, record, scope));
    }
    if (!step.timeout || is_static(*step.timeout)) {
        p.timeout_s = step.timeout ? setting_duration_s(*step.timeout, scope, "timeout") : 0;
    }
    return p;
}

BuiltTask SpecBuilder::build(TaskId task, Timestamp now, const Value& failures, std::uint32_t attempt) {
    const StepId id = data_.plan().step(task);
    const Step& step = data_.step(id);
    const Prepared& prepared = prepare(id);
    attempt = attempt > 0 ? attempt : data_.plan().attempt(task);
    const RunScope scope(data_, ScopePosition{id, data_.plan().index(task), attempt, false}, load_, now);

    BuiltTask built;
    TaskSpec& spec = built.spec;
    spec.task = TaskName{step.name, data_.plan().index(task)};
    spec.attempt = attempt;
    spec.profile = prepared.profile ? *prepared.profile
                                    : elsewhere(data_.record(), profile_name(step, data_.record(), scope));
    spec.token = make_token();
    for (const auto& [name, text] : step.env) {
        spec.env.emplace_back(name, render(text, scope));
    }
    if (step.subflow.empty()) {
        add_command(spec, step, scope);
    } else {
        const Value given = step.subflow_params ? evaluate(*step.subflow_params, scope) : Value(Object{});
        built.child =
            ChildFlow{subflow_of(step, data_.record()), given, profile_name(step, data_.record(), scope)};
    }
    add_identity(spec, step, spec.task.index);
    spec.secrets.insert(spec.secrets.end(), prepared.secrets.begin(), prepared.secrets.end());
    spec.env.insert(spec.env.end(), prepared.params_env.begin(), prepared.params_env.end());
    if (!prepared.uses.params.empty()) {
        if (prepared.params.empty()) {
            add_json(spec, "AMP_PARAMS", prepared.long_params, ".amp/params");
        } else {
            spec.env.emplace_back("AMP_PARAMS", prepared.params);
        }
    }
    spec.inputs.insert(spec.inputs.end(), prepared.param_files.begin(), prepared.param_files.end());
    Object definition = prepared.definition;
    if (built.child) {
        definition.emplace("given", built.child->params);
    }
    add_container(spec, recorded_container(step, scope, data_.record(), spec.profile.empty()), definition);
    add_environment(spec, step, data_.record(), definition);
    add_item(spec, id, scope, definition);
    add_inputs(spec, step, scope, definition);
    if (!failures.is_null()) {
        spec.inputs.push_back(TaskInput{".amp/failures", in_line(failures)});
        spec.env.emplace_back("AMP_FAILURES", LateText{Piece{Piece::Kind::input, ".amp/failures.json"}});
    }
    spec.outputs = step.outputs;
    put_into_cwd(spec);
    add_requests(spec, step, scope, prepared.resources, prepared.gang);
    grow_requests(spec, step, scope, data_.plan().oom_count(task));
    spec.log = step.log;
    spec.monitor = step.monitor;
    if (limits_ && spec.profile.empty()) {
        built.cuts = fit_request(spec.resources, spec.gang, *limits_);
    }
    spec.timeout_s =
        prepared.timeout_s ? *prepared.timeout_s : setting_duration_s(*step.timeout, scope, "timeout");
    spec.priority = data_.graph().nodes[id].priority;
    spec.checkpoint_s = step.checkpoint_s.value_or(0);
    add_cache_folders(spec, step, scope);
    built.parts = Value(std::move(definition));
    built.definition = sha256_hex(json::dump(built.parts));
    return built;
}

void SpecBuilder::add_command(TaskSpec& spec, const Step& step, const Scope& scope) const {
    if (step.command) {
        auto rendered = render_command(*step.command, scope);
        for (const std::string& word : step.shell) {
            spec.argv.push_back(plain(word));
        }
        spec.argv.push_back(std::move(rendered.script));
        for (std::size_t i = 0; i < rendered.variables.size(); ++i) {
            const auto secret = secret_parameter(step.command->variables()[i].second, data_.flow());
            if (secret) {
                spec.secrets.emplace_back(rendered.variables[i].first, parameter_secret_key(*secret));
            } else {
                spec.env.push_back(std::move(rendered.variables[i]));
            }
        }
    } else {
        spec.argv = render_arguments(step.arguments, scope);
    }
    if (!step.cwd) {
        spec.cwd = project_folder_;
        return;
    }
    const LateText folder = render(*step.cwd, scope);
    const bool known = folder.size() == 1 && folder.front().kind == Piece::Kind::text;
    if (!known) {
        throw Error(ExitCode::invalid, "cwd must be a path inside the project, or \"task\"", step.name);
    }
    spec.cwd = folder.front().text == "task" ? std::string() : project_folder_ + "/" + folder.front().text;
}

void SpecBuilder::add_cache_folders(TaskSpec& spec, const Step& step, const Scope& scope) const {
    for (const CacheFolder& cached : step.cache_dirs) {
        const LateText folder = render(cached.folder, scope);
        const bool known = folder.size() == 1 && folder.front().kind == Piece::Kind::text;
        if (!known || folder.front().text.empty()) {
            throw Error(ExitCode::invalid, "cache_dirs must be paths that are known before the task starts",
                        step.name);
        }
        spec.cache_dirs.emplace_back(cached.key, folder.front().text);
    }
}

void SpecBuilder::add_identity(TaskSpec& spec, const Step& step, const TaskIndex& index) const {
    const std::string& run = data_.record().run;
    spec.env.emplace_back("AMP_RUN", plain(run));
    spec.env.emplace_back("AMP_FLOW", plain(data_.flow().name));
    spec.env.emplace_back("AMP_STEP", plain(step.name));
    spec.env.emplace_back("AMP_INDEX", plain(index.text()));
    spec.env.emplace_back("AMP_TASK", plain(run + "/" + step.name + "/" + index.text()));
}

void SpecBuilder::add_item(TaskSpec& spec, StepId id, const RunScope& scope, Object& definition) const {
    List items;
    for (const StepId level : data_.graph().nodes[id].stack) {
        if (auto value = scope.resolve(data_.step(level).as, {})) {
            items.push_back(std::move(*value));
        }
    }
    if (items.empty()) {
        return;
    }
    add_json(spec, "AMP_ITEM", items.back(), ".amp/item");
    definition.emplace("items", std::move(items));
}

/// What the expressions read, and what `inputs` names, is laid below $AMP_IN: files always; values where they
/// were read one by one (a star over thousands of values is not worth thousands of files: `inputs` asks for
/// them).
void SpecBuilder::add_inputs(TaskSpec& spec, const Step& step, const RunScope& scope,
                             Object& definition) const {
    std::set<RunScope::Read> asked_for;
    for (const Step::Input& input : step.inputs) {
        const RunScope own(data_, {data_.graph().id(step.name), spec.task.index, spec.attempt, false}, load_,
                           scope.now());
        const Value source = input.source.evaluate(own);
        asked_for.insert(own.reads().begin(), own.reads().end());
        if (input.path.empty()) {
            continue;
        }
        for (const auto& read : own.reads()) {
            if (!source.is_file() || read.path == source.as_file().path) {
                spec.inputs.push_back(TaskInput{input.path, read.artifact});
            }
        }
    }
    std::set<RunScope::Read> reads = scope.reads();
    reads.insert(asked_for.begin(), asked_for.end());
    std::map<std::string, int> names;
    std::set<std::string> taken;  // first names below $AMP_IN: what must lie there goes before short names
    for (const TaskInput& input : spec.inputs) {
        taken.insert(first_name(input));
    }
    Object hashes;
    for (const auto& read : reads) {
        ++names[read.name];
        taken.insert(first_name({read.path, read.artifact}));
        hashes.emplace(read.path, read.artifact.sha256);
    }
    for (const auto& read : reads) {
        const bool star_value =
            read.in_join && read.artifact.kind == Artifact::Kind::value && !asked_for.contains(read);
        if (star_value) {
            continue;
        }
        spec.inputs.push_back(TaskInput{read.path, read.artifact});
        const TaskInput brief{read.name, read.artifact};
        if (names[read.name] == 1 && !read.in_join && !taken.contains(first_name(brief))) {
            spec.inputs.push_back(brief);
        }
    }
    definition.emplace("inputs", std::move(hashes));
}

}  // namespace amp
