#include "core/run/spec_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/flow/setting.hpp"
#include "core/package/code_manifest.hpp"

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

std::string template_source(const ShellCommand& command) {
    std::string out;
    for (const auto& part : command.script()) {
        const auto* text = std::get_if<std::string>(&part);
        out += text ? *text : "{{" + std::get<Expression>(part).text() + "}}";
    }
    return out;
}

Value run_source(const Step& step) {
    if (step.command) {
        List variables;
        for (const auto& [name, expression] : step.command->variables()) {
            variables.push_back(List{name, expression.text()});
        }
        return Object{{"script", template_source(*step.command)}, {"variables", std::move(variables)}};
    }
    List arguments;
    for (const TextTemplate& argument : step.arguments) {
        arguments.push_back(argument.source());
    }
    return arguments;
}

Value outputs_value(const Step& step) {
    List out;
    for (const TaskOutput& o : step.outputs) {
        out.push_back(List{o.name, o.path, static_cast<int>(o.type), o.optional});
    }
    return out;
}

/// The hash of the code that `sources` names.
Value sources_hash(const Step& step, const CodeManifest& code) {
    if (step.sources.empty()) {
        return {};
    }
    std::string text;
    for (const CodeEntry& entry : code.entries) {
        const bool used = std::any_of(step.sources.begin(), step.sources.end(), [&](const std::string& glob) {
            return glob_matches(glob, entry.path);
        });
        if (used) {
            text += json::quote(entry.path) + (entry.executable ? "x" : "-") + entry.sha256 +
                    entry.link_target + "\n";
        }
    }
    return sha256_hex(text);
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

Resources evaluate_resources(const Step& step, const Scope& scope) {
    Resources out;
    for (const auto& [name, setting] : step.resources) {
        if (name == "cpu") {
            out.cpu = setting_number(setting, scope, "resources.cpu");
        } else if (name == "memory") {
            out.memory_bytes = setting_size_bytes(setting, scope, "resources.memory");
        } else if (name == "gpu") {
            out.gpu = static_cast<std::uint32_t>(setting_int(setting, scope, "resources.gpu", 0, 1024));
        }
    }
    return out;
}

bool is_static(const Setting& setting) {
    Diagnostics ignored;
    return expressions_of(setting, ignored).empty();
}

/// `grow` after `ooms` attempts that ran out of memory.
void grow_resources(Resources& resources, const RetryPolicy& retry, std::uint32_t ooms) {
    for (const auto& [name, factor] : retry.grow) {
        const double times = std::pow(factor, static_cast<double>(ooms));
        if (name == "memory") {
            resources.memory_bytes =
                static_cast<std::uint64_t>(static_cast<double>(resources.memory_bytes) * times);
        } else if (name == "cpu") {
            resources.cpu *= times;
        }
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

/// The name directly below $AMP_IN that an input takes.
std::string first_name(const TaskInput& input) {
    const std::size_t end = input.path.find('/');
    const bool alone = end == std::string::npos;
    return input.path.substr(0, end) + (alone && input.artifact.kind == Artifact::Kind::value ? ".json" : "");
}

}  // namespace

SpecBuilder::SpecBuilder(const RunData& data, ArtifactLoader load) : data_(data), load_(std::move(load)) {}

const SpecBuilder::Prepared& SpecBuilder::prepare(StepId id) {
    const auto [it, fresh] = prepared_.try_emplace(id);
    Prepared& p = it->second;
    if (!fresh) {
        return p;
    }
    const Step& step = data_.step(id);
    const RunRecord& record = data_.record();
    p.uses = uses_of(step, data_.flow());
    p.params = subset(record.params, p.uses.params);
    for (const auto& [name, value] : p.params.as_object()) {
        if (value.is_file()) {
            const FileRef& f = value.as_file();
            p.param_files.push_back(
                TaskInput{f.path, Artifact{Artifact::Kind::file, {}, f.sha256, f.size_bytes, {}, 0}});
        }
        p.params_env.emplace_back("AMP_PARAM_" + name, late_text(value));
    }
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
                          {"params", p.params},
                          {"config", subset(record.config, p.uses.config)},
                          {"environment", subset(record.env, p.uses.env)},
                          {"sources", sources_hash(step, record.code)}};
    const RecordScope scope(record, data_.flow().name);
    const bool fixed = std::all_of(step.resources.begin(), step.resources.end(),
                                   [](const auto& r) { return is_static(r.second); });
    if (fixed) {
        p.resources = evaluate_resources(step, scope);
    }
    if (!step.timeout || is_static(*step.timeout)) {
        p.timeout_s = step.timeout ? setting_duration_s(*step.timeout, scope, "timeout") : 0;
    }
    return p;
}

BuiltTask SpecBuilder::build(TaskId task, Timestamp now, const Value& failures) {
    const StepId id = data_.plan().step(task);
    const Step& step = data_.step(id);
    const Prepared& prepared = prepare(id);
    const std::uint32_t attempt = data_.plan().attempt(task);
    const RunScope scope(data_, ScopePosition{id, data_.plan().index(task), attempt, false}, load_, now);

    BuiltTask built;
    TaskSpec& spec = built.spec;
    spec.task = TaskName{step.name, data_.plan().index(task)};
    spec.attempt = attempt;
    spec.token = make_token();
    for (const auto& [name, text] : step.env) {
        spec.env.emplace_back(name, render(text, scope));
    }
    add_command(spec, step, scope);
    add_identity(spec, step, spec.task.index);
    spec.env.insert(spec.env.end(), prepared.params_env.begin(), prepared.params_env.end());
    if (!prepared.uses.params.empty()) {
        add_json(spec, "AMP_PARAMS", prepared.params, ".amp/params");
    }
    spec.inputs.insert(spec.inputs.end(), prepared.param_files.begin(), prepared.param_files.end());
    Object definition = prepared.definition;
    add_item(spec, id, scope, definition);
    add_inputs(spec, step, scope, definition);
    if (!failures.is_null()) {
        spec.inputs.push_back(TaskInput{".amp/failures", in_line(failures)});
        spec.env.emplace_back("AMP_FAILURES", LateText{Piece{Piece::Kind::input, ".amp/failures.json"}});
    }
    spec.outputs = step.outputs;
    put_into_cwd(spec);
    spec.resources = prepared.resources ? *prepared.resources : evaluate_resources(step, scope);
    grow_resources(spec.resources, step.retry, data_.plan().oom_count(task));
    spec.timeout_s =
        prepared.timeout_s ? *prepared.timeout_s : setting_duration_s(*step.timeout, scope, "timeout");
    spec.priority = data_.graph().nodes[id].priority;
    built.definition = sha256_hex(json::dump(definition));
    return built;
}

void SpecBuilder::add_command(TaskSpec& spec, const Step& step, const Scope& scope) const {
    if (step.command) {
        auto rendered = render_command(*step.command, scope);
        for (const std::string& word : step.shell) {
            spec.argv.push_back(plain(word));
        }
        spec.argv.push_back(std::move(rendered.script));
        std::move(rendered.variables.begin(), rendered.variables.end(), std::back_inserter(spec.env));
    } else {
        spec.argv = render_arguments(step.arguments, scope);
    }
    const std::string& project = data_.record().project_folder;
    if (!step.cwd) {
        spec.cwd = project;
        return;
    }
    const LateText folder = render(*step.cwd, scope);
    const bool known = folder.size() == 1 && folder.front().kind == Piece::Kind::text;
    if (!known) {
        throw Error(ExitCode::invalid, "cwd must be a path inside the project, or \"task\"", step.name);
    }
    spec.cwd = folder.front().text == "task" ? std::string() : project + "/" + folder.front().text;
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
