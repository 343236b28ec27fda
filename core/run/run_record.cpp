#include "core/run/run_record.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace amp {
namespace {

Value git_value(const std::optional<GitState>& git) {
    if (!git) {
        return {};
    }
    return Object{{"commit", git->commit}, {"branch", git->branch}, {"dirty", git->dirty}};
}

Value pairs_value(const std::vector<std::pair<std::string, std::string>>& pairs) {
    Object out;
    for (const auto& [name, text] : pairs) {
        out.insert_or_assign(name, text);
    }
    return out;
}

List names_value(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
}

std::vector<std::string> names_from(const Value& value, std::string_view key) {
    std::vector<std::string> out;
    for (const Value& name : get_list(value, key)) {
        if (name.is_string()) {
            out.push_back(name.as_string());
        }
    }
    return out;
}

/// Null for a whole run.
Value partial_value(const RunRecord& r) {
    if (!r.partial()) {
        return {};
    }
    return Object{{"until", names_value(r.until)}, {"only", names_value(r.only)}};
}

std::optional<GitState> git_from(const Value* value) {
    if (!value || !value->is_object()) {
        return std::nullopt;
    }
    return GitState{get_string(*value, "commit"), get_string(*value, "branch"), get_bool(*value, "dirty")};
}

}  // namespace

Value to_value(const RunRecord& r) {
    Object out{{"schema", RunRecord::k_schema},
               {"run", r.run},
               {"flow", Object{{"name", r.flow_name},
                               {"path", r.flow_path},
                               {"source", r.flow_source},
                               {"overrides", r.overrides}}},
               {"project_folder", r.project_folder},
               {"profile", r.profile},
               {"profiles", r.profiles},
               {"params", r.params},
               {"config", r.config},
               {"config_files", pairs_value(r.config_files)},
               {"env", r.env},
               {"tags", names_value(r.tags)},
               {"git", git_value(r.git)},
               {"code", to_value(r.code)},
               {"user", r.user},
               {"host", r.host},
               {"version", r.version},
               {"flows", r.flows},
               {"parent", r.parent},
               {"spawned", r.spawned},
               {"depth", static_cast<std::int64_t>(r.depth)},
               {"origin", r.origin},
               {"partial", partial_value(r)},
               {"from", names_value(r.from)},
               {"driver", r.driver},
               {"concurrency", r.concurrency},
               {"keep_going", r.keep_going},
               {"max_workers", static_cast<std::int64_t>(r.max_workers)},
               {"created", format_time(r.created)}};
    if (!(r.environments == Value(Object{}))) {
        out.emplace("environments", r.environments);
    }
    if (r.fit) {
        out.emplace("fit", Object{{"cuts", List(r.cuts.begin(), r.cuts.end())}});
    }
    return out;
}

RunRecord run_record_from(const Value& value) {
    RunRecord r;
    r.run = get_string(value, "run");
    if (const auto schema = get_int(value, "schema"); schema > RunRecord::k_schema) {
        throw Error(ExitCode::mismatch,
                    fmt::format("run {} was made by a newer amp (record schema {})", r.run, schema), r.run,
                    "use that version of amp, or a newer one");
    }
    if (const Value* flow = value.find("flow")) {
        r.flow_name = get_string(*flow, "name");
        r.flow_path = get_string(*flow, "path");
        r.flow_source = get_string(*flow, "source");
        if (const Value* overrides = flow->find("overrides")) {
            r.overrides = *overrides;
        }
    }
    r.project_folder = get_string(value, "project_folder");
    r.profile = get_string(value, "profile");
    r.profiles = get_object(value, "profiles");
    r.params = get_object(value, "params");
    r.config = get_object(value, "config");
    for (const auto& [name, file] : get_object(value, "config_files")) {
        if (file.is_string()) {
            r.config_files.emplace_back(name, file.as_string());
        }
    }
    r.env = get_object(value, "env");
    r.tags = names_from(value, "tags");
    r.git = git_from(value.find("git"));
    if (const Value* code = value.find("code")) {
        r.code = code_manifest_from(*code);
    }
    r.user = get_string(value, "user");
    r.host = get_string(value, "host");
    r.version = get_string(value, "version");
    r.environments = get_object(value, "environments");
    r.flows = get_object(value, "flows");
    r.parent = get_string(value, "parent");
    r.spawned = get_bool(value, "spawned");
    r.depth = static_cast<std::size_t>(get_int(value, "depth"));
    r.origin = get_string(value, "origin");
    if (const Value* partial = value.find("partial"); partial && partial->is_object()) {
        r.until = names_from(*partial, "until");
        r.only = names_from(*partial, "only");
    }
    r.from = names_from(value, "from");
    r.driver = get_string(value, "driver", "amp");
    r.concurrency = get_string(value, "concurrency", "allow");
    r.keep_going = get_bool(value, "keep_going");
    r.max_workers = static_cast<std::size_t>(get_int(value, "max_workers"));
    if (const Value* fit = value.find("fit")) {
        r.fit = true;
        for (const Value& cut : get_list(*fit, "cuts")) {
            r.cuts.push_back(cut.is_string() ? cut.as_string() : std::string());
        }
    }
    r.created = parse_time(get_string(value, "created")).value_or(Timestamp{});
    return r;
}

}  // namespace amp
