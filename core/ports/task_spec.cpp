#include "core/ports/task_spec.hpp"

#include <array>

#include "core/base/error.hpp"
#include "core/ports/task_spec_parts.hpp"

namespace amp {
namespace {

constexpr std::array<std::string_view, 12> k_causes = {"none",    "user",      "timeout", "oom",
                                                       "evicted", "preempted", "image",   "node",
                                                       "quota",   "lost",      "infra",   "cancelled"};
constexpr std::array<std::string_view, 3> k_artifact_kinds = {"value", "file", "folder"};

Value whole(std::uint64_t n) {
    return {static_cast<std::int64_t>(n)};
}

std::uint64_t get_whole(const Value& object, std::string_view key, std::uint64_t fallback = 0) {
    const std::int64_t n = get_int(object, key, static_cast<std::int64_t>(fallback));
    if (n < 0) {
        throw Error(ExitCode::mismatch, std::string(key) + " is negative");
    }
    return static_cast<std::uint64_t>(n);
}

std::uint32_t get_attempt(const Value& object) {
    const std::uint64_t n = get_whole(object, "attempt", 1);
    if (n == 0 || n > UINT32_MAX) {
        throw Error(ExitCode::mismatch, "attempt is no attempt number");
    }
    return static_cast<std::uint32_t>(n);
}

/// Plain text is a string; else a list with a string for text, {"in": …} and {"out": …}.
Value late_to_value(const LateText& late) {
    if (late.empty()) {
        return "";
    }
    if (late.size() == 1 && late[0].kind == Piece::Kind::text) {
        return late[0].text;
    }
    List pieces;
    pieces.reserve(late.size());
    for (const Piece& piece : late) {
        if (piece.kind == Piece::Kind::text) {
            pieces.emplace_back(piece.text);
        } else {
            pieces.emplace_back(Object{{piece.kind == Piece::Kind::input ? "in" : "out", piece.text}});
        }
    }
    return pieces;
}

LateText late_from(const Value& value) {
    if (value.is_string()) {
        return {{Piece::Kind::text, value.as_string()}};
    }
    if (!value.is_list()) {
        throw Error(ExitCode::mismatch, "a text of a task spec is neither string nor list");
    }
    LateText late;
    for (const Value& piece : value.as_list()) {
        if (piece.is_string()) {
            late.push_back({Piece::Kind::text, piece.as_string()});
        } else if (piece.find("in") != nullptr) {
            late.push_back({Piece::Kind::input, get_string(piece, "in")});
        } else {
            late.push_back({Piece::Kind::output, get_string(piece, "out")});
        }
    }
    return late;
}

Value input_to_value(const TaskInput& input) {
    return Object{{"path", input.path}, {"artifact", to_value(input.artifact)}};
}

void add_lists(Object& out, const TaskSpec& spec) {
    List argv;
    for (const LateText& late : spec.argv) {
        argv.push_back(late_to_value(late));
    }
    out["argv"] = std::move(argv);
    if (!spec.env.empty()) {
        List env;
        for (const auto& [name, late] : spec.env) {
            env.emplace_back(List{name, late_to_value(late)});
        }
        out["env"] = std::move(env);
    }
    if (!spec.inputs.empty()) {
        List inputs;
        for (const TaskInput& input : spec.inputs) {
            inputs.push_back(input_to_value(input));
        }
        out["inputs"] = std::move(inputs);
    }
    if (!spec.outputs.empty()) {
        List outputs;
        for (const TaskOutput& output : spec.outputs) {
            outputs.push_back(to_value(output));
        }
        out["outputs"] = std::move(outputs);
    }
}

void read_lists(TaskSpec& spec, const Value& value) {
    for (const Value& late : get_list(value, "argv")) {
        spec.argv.push_back(late_from(late));
    }
    for (const Value& pair : get_list(value, "env")) {
        if (!pair.is_list() || pair.as_list().size() != 2 || !pair.as_list()[0].is_string()) {
            throw Error(ExitCode::mismatch, "an env entry of a task spec is no pair");
        }
        spec.env.emplace_back(pair.as_list()[0].as_string(), late_from(pair.as_list()[1]));
    }
    for (const Value& input : get_list(value, "inputs")) {
        const Value* artifact = input.find("artifact");
        spec.inputs.push_back({get_string(input, "path"), artifact_from(artifact ? *artifact : Value{})});
    }
    for (const Value& output : get_list(value, "outputs")) {
        spec.outputs.push_back(output_from(output));
    }
}

void read_resources(Resources& resources, const Value& value) {
    resources.cpu = get_float(value, "cpu", resources.cpu);
    resources.memory_bytes = get_whole(value, "memory_bytes");
    resources.gpu = static_cast<std::uint32_t>(get_whole(value, "gpu"));
}

Value gang_to_value(const Gang& gang) {
    return Object{{"nodes", whole(gang.nodes)},
                  {"tasks_per_node", whole(gang.tasks_per_node)},
                  {"launcher", launcher_name(gang.launcher)}};
}

std::optional<Gang> gang_from(const Value* value) {
    if (value == nullptr) {
        return std::nullopt;
    }
    Gang gang;
    gang.nodes = static_cast<std::uint32_t>(get_whole(*value, "nodes", 1));
    gang.tasks_per_node = static_cast<std::uint32_t>(get_whole(*value, "tasks_per_node", 1));
    gang.launcher = launcher_from(get_string(*value, "launcher", "none"));
    if (gang.nodes == 0 || gang.tasks_per_node == 0 || gang.nodes > UINT32_MAX / gang.tasks_per_node) {
        throw Error(ExitCode::mismatch, "a gang has no number of ranks");
    }
    return gang;
}

Value rank_ends_value(const std::vector<RankEnd>& ranks) {
    List list;
    list.reserve(ranks.size());
    for (const RankEnd& rank : ranks) {
        Object out{{"exit", rank.exit}};
        if (rank.signal != 0) {
            out["signal"] = rank.signal;
        }
        list.emplace_back(std::move(out));
    }
    return list;
}

void read_ranks(AttemptResult& result, const Value& value) {
    for (const Value& rank : get_list(value, "ranks")) {
        result.ranks.push_back(
            {static_cast<int>(get_int(rank, "exit")), static_cast<int>(get_int(rank, "signal"))});
    }
    if (value.find("failed_rank") != nullptr) {
        result.failed_rank = static_cast<std::uint32_t>(get_whole(value, "failed_rank"));
    }
}

Timestamp get_time(const Value& value, std::string_view key) {
    const auto time = parse_time(get_string(value, key));
    return time ? *time : Timestamp{};
}

}  // namespace

std::string_view cause_name(Cause cause) {
    return k_causes[static_cast<std::size_t>(cause)];
}

std::optional<Cause> parse_cause(std::string_view name) {
    return find_name<Cause>(k_causes, name);
}

Resources total_resources(const TaskSpec& spec) {
    const std::uint32_t nodes = spec.gang ? spec.gang->nodes : 1;
    return {spec.resources.cpu * nodes, spec.resources.memory_bytes * nodes, spec.resources.gpu * nodes};
}

// Records leave out what has its default, so that a no-op task costs little to write and to read.

namespace {

/// How long it may take, how it is watched, and what is kept of it.
void write_limits(Object& out, const TaskSpec& spec) {
    const TaskSpec plain;
    if (!(spec.monitor == plain.monitor)) {
        out["monitor"] = to_value(spec.monitor);
    }
    if (spec.environment) {
        out["environment"] = to_value(*spec.environment);
    }
    if (spec.hold_s != 0) {
        out["hold_s"] = spec.hold_s;
    }
    if (spec.timeout_s != 0) {
        out["timeout_s"] = spec.timeout_s;
    }
    if (spec.grace_s != plain.grace_s) {
        out["grace_s"] = spec.grace_s;
    }
    if (spec.priority != 0) {
        out["priority"] = spec.priority;
    }
    if (spec.log.head_bytes != plain.log.head_bytes) {
        out["log_head_bytes"] = whole(spec.log.head_bytes);
    }
    if (spec.log.tail_bytes != plain.log.tail_bytes) {
        out["log_tail_bytes"] = whole(spec.log.tail_bytes);
    }
}

}  // namespace

Value to_value(const TaskSpec& spec) {
    const TaskSpec plain;
    Object out{{"task", spec.task.text()}, {"attempt", whole(spec.attempt)}, {"token", spec.token}};
    add_lists(out, spec);
    if (!spec.secrets.empty()) {
        List secrets;
        for (const auto& [name, key] : spec.secrets) {
            secrets.emplace_back(List{name, key});
        }
        out["secrets"] = std::move(secrets);
    }
    if (!spec.inherit_env) {
        out["inherit_env"] = false;
    }
    if (!spec.cwd.empty()) {
        out["cwd"] = spec.cwd;
    }
    if (!(spec.resources == plain.resources)) {
        out["resources"] = Object{{"cpu", spec.resources.cpu},
                                  {"memory_bytes", whole(spec.resources.memory_bytes)},
                                  {"gpu", whole(spec.resources.gpu)}};
    }
    if (spec.gang) {
        out["gang"] = gang_to_value(*spec.gang);
    }
    if (spec.container) {
        out["container"] = Object{{"image", spec.container->image}};
    }
    if (spec.checkpoint_s != 0) {
        out["checkpoint_s"] = spec.checkpoint_s;
    }
    if (!spec.cache_dirs.empty()) {
        List folders;
        for (const auto& [key, folder] : spec.cache_dirs) {
            folders.push_back(List{key, folder});
        }
        out["cache_dirs"] = std::move(folders);
    }
    write_limits(out, spec);
    return out;
}

TaskSpec task_spec_from(const Value& value) {
    TaskSpec spec;
    spec.task = TaskName::parse(get_string(value, "task"));
    spec.attempt = get_attempt(value);
    spec.token = get_string(value, "token");
    read_lists(spec, value);
    for (const Value& pair : get_list(value, "secrets")) {
        if (!pair.is_list() || pair.as_list().size() != 2) {
            throw Error(ExitCode::mismatch, "a secret of a task spec is no pair");
        }
        spec.secrets.emplace_back(pair.as_list()[0].as_string(), pair.as_list()[1].as_string());
    }
    spec.inherit_env = get_bool(value, "inherit_env", true);
    spec.cwd = get_string(value, "cwd");
    if (const Value* resources = value.find("resources")) {
        read_resources(spec.resources, *resources);
    }
    spec.gang = gang_from(value.find("gang"));
    if (const Value* container = value.find("container")) {
        spec.container = Container{get_string(*container, "image")};
    }
    if (const Value* monitor = value.find("monitor")) {
        spec.monitor = monitor_from(*monitor);
    }
    if (const Value* environment = value.find("environment")) {
        spec.environment = environment_from(*environment);
    }
    spec.hold_s = get_float(value, "hold_s", spec.hold_s);
    spec.timeout_s = get_float(value, "timeout_s", spec.timeout_s);
    spec.checkpoint_s = get_float(value, "checkpoint_s", spec.checkpoint_s);
    for (const Value& folder : get_list(value, "cache_dirs")) {
        if (!folder.is_list() || folder.as_list().size() != 2) {
            throw Error(ExitCode::mismatch, "a cache folder of a task spec is no pair");
        }
        spec.cache_dirs.emplace_back(folder.as_list()[0].as_string(), folder.as_list()[1].as_string());
    }
    spec.grace_s = get_float(value, "grace_s", spec.grace_s);
    spec.priority = static_cast<int>(get_int(value, "priority"));
    spec.log.head_bytes = get_whole(value, "log_head_bytes", spec.log.head_bytes);
    spec.log.tail_bytes = get_whole(value, "log_tail_bytes", spec.log.tail_bytes);
    return spec;
}

Value to_value(const AttemptResult& result) {
    Object out{{"task", result.task.text()},
               {"attempt", whole(result.attempt)},
               {"cause", cause_name(result.cause)},
               {"exit", result.exit},
               {"started", format_time(result.started)},
               {"ended", format_time(result.ended)},
               {"cpu_s", result.cpu_s},
               {"max_rss_bytes", whole(result.max_rss_bytes)}};
    if (result.signal != 0) {
        out["signal"] = result.signal;
    }
    if (!result.message.empty()) {
        out["message"] = result.message;
    }
    if (!result.artifacts.empty()) {
        Object artifacts;
        for (const auto& [name, artifact] : result.artifacts) {
            artifacts.emplace(name, to_value(artifact));
        }
        out["artifacts"] = std::move(artifacts);
    }
    if (!result.log.empty()) {
        out["log"] = to_value(result.log);
    }
    if (result.log_bytes != 0) {
        out["log_bytes"] = whole(result.log_bytes);
    }
    if (result.log_dropped_bytes != 0) {
        out["log_dropped_bytes"] = whole(result.log_dropped_bytes);
    }
    if (result.report) {
        out["report"] = to_value(*result.report);
    }
    if (!result.ranks.empty()) {
        out["ranks"] = rank_ends_value(result.ranks);
    }
    if (result.failed_rank) {
        out["failed_rank"] = whole(*result.failed_rank);
    }
    return out;
}

AttemptResult attempt_result_from(const Value& value) {
    AttemptResult result;
    result.task = TaskName::parse(get_string(value, "task"));
    result.attempt = get_attempt(value);
    result.cause = need_name<Cause>(k_causes, get_string(value, "cause"), "cause");
    result.exit = static_cast<int>(get_int(value, "exit"));
    result.signal = static_cast<int>(get_int(value, "signal"));
    result.message = get_string(value, "message");
    result.started = get_time(value, "started");
    result.ended = get_time(value, "ended");
    result.cpu_s = get_float(value, "cpu_s");
    result.max_rss_bytes = get_whole(value, "max_rss_bytes");
    for (const auto& [name, artifact] : get_object(value, "artifacts")) {
        result.artifacts.emplace(name, artifact_from(artifact));
    }
    result.log = log_pieces_from(get_list(value, "log"));
    result.log_bytes = get_whole(value, "log_bytes");
    result.log_dropped_bytes = get_whole(value, "log_dropped_bytes");
    if (const Value* report = value.find("report")) {
        result.report = std::make_shared<const TaskReport>(task_report_from(*report));
    }
    read_ranks(result, value);
    return result;
}

Value to_value(const Artifact& artifact) {
    Object out{{"kind", k_artifact_kinds[static_cast<std::size_t>(artifact.kind)]},
               {"sha256", artifact.sha256},
               {"size_bytes", whole(artifact.size_bytes)}};
    if (artifact.value) {
        out["value"] = *artifact.value;
    }
    if (!artifact.pack.empty()) {
        out["pack"] = artifact.pack;
        out["pack_offset"] = whole(artifact.pack_offset);
    }
    return out;
}

Artifact artifact_from(const Value& value) {
    Artifact artifact;
    artifact.kind = need_name<Artifact::Kind>(k_artifact_kinds, get_string(value, "kind"), "artifact kind");
    if (const Value* inner = value.find("value")) {
        artifact.value = *inner;
    }
    artifact.sha256 = get_string(value, "sha256");
    artifact.size_bytes = get_whole(value, "size_bytes");
    artifact.pack = get_string(value, "pack");
    artifact.pack_offset = get_whole(value, "pack_offset");
    return artifact;
}

}  // namespace amp
