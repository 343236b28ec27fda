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

std::optional<GitState> git_from(const Value* value) {
    if (!value || !value->is_object()) {
        return std::nullopt;
    }
    return GitState{get_string(*value, "commit"), get_string(*value, "branch"), get_bool(*value, "dirty")};
}

}  // namespace

Value to_value(const RunRecord& r) {
    List tags(r.tags.begin(), r.tags.end());
    return Object{{"schema", RunRecord::k_schema},
                  {"run", r.run},
                  {"flow", Object{{"name", r.flow_name},
                                  {"path", r.flow_path},
                                  {"source", r.flow_source},
                                  {"overrides", r.overrides}}},
                  {"project_folder", r.project_folder},
                  {"profile", r.profile},
                  {"params", r.params},
                  {"config", r.config},
                  {"env", r.env},
                  {"tags", std::move(tags)},
                  {"git", git_value(r.git)},
                  {"code", to_value(r.code)},
                  {"user", r.user},
                  {"host", r.host},
                  {"version", r.version},
                  {"origin", r.origin},
                  {"driver", r.driver},
                  {"keep_going", r.keep_going},
                  {"max_workers", static_cast<std::int64_t>(r.max_workers)},
                  {"created", format_time(r.created)}};
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
    r.params = get_object(value, "params");
    r.config = get_object(value, "config");
    r.env = get_object(value, "env");
    for (const Value& tag : get_list(value, "tags")) {
        if (tag.is_string()) {
            r.tags.push_back(tag.as_string());
        }
    }
    r.git = git_from(value.find("git"));
    if (const Value* code = value.find("code")) {
        r.code = code_manifest_from(*code);
    }
    r.user = get_string(value, "user");
    r.host = get_string(value, "host");
    r.version = get_string(value, "version");
    r.origin = get_string(value, "origin");
    r.driver = get_string(value, "driver", "amp");
    r.keep_going = get_bool(value, "keep_going");
    r.max_workers = static_cast<std::size_t>(get_int(value, "max_workers"));
    r.created = parse_time(get_string(value, "created")).value_or(Timestamp{});
    return r;
}

}  // namespace amp
