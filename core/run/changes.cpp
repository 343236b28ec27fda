#include "core/run/changes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/drive.hpp"
#include "core/run/parameters.hpp"
#include "core/run/partial.hpp"
#include "core/run/secret_files.hpp"

namespace amp {
namespace {

std::string changed_names(const Value& before, const Value& after) {
    std::string out;
    for (const auto& [name, value] : after.as_object()) {
        const Value* old = before.find(name);
        if (!old || !(*old == value)) {
            out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name, json::dump(value));
        }
    }
    return out;
}

/// The flow as it is now; the recorded one when its file is gone.
Flow current_flow(Services& services, const RunRecord& record, Diagnostics& diagnostics) {
    std::string text = record.flow_source;
    if (services.files.info(record.flow_path)) {
        text = services.files.read(record.flow_path, std::uint64_t{64} << 20);
    }
    Flow flow = load_flow(text, record.flow_path, diagnostics, record.overrides);
    validate(flow, diagnostics);
    return flow;
}

/// @return those that it runs now
Subflows note_changed_subflows(Services& services, const Project& project, const RunRecord& record,
                               const Flow& flow, Changes& c) {
    Diagnostics diagnostics;
    Subflows now = read_subflows(services, project, flow, diagnostics, &record);
    const Value flows = recorded_flows(now);
    if (flows == record.flows) {
        return now;
    }
    if (diagnostics.has_errors()) {
        throw InvalidFlow(std::move(diagnostics), flow.path, flow.source);
    }
    for (const auto& [key, recorded] : flows.as_object()) {
        const Value* before = record.flows.find(key);
        if (before == nullptr || !(*before == recorded)) {
            c.why.push_back(fmt::format("{} has changed", key));
        }
    }
    if (c.why.empty()) {
        c.why.emplace_back("the flows that it runs have changed");
    }
    c.record.flows = flows;
    c.record.env = recorded_environment(services, flow, now);
    return now;
}

}  // namespace

Changes find_changes(Services& services, OpenStore& store, const Project& project, const RunRecord& record,
                     const ParameterSources& params, bool keep) {
    Changes c;
    c.record = record;
    Diagnostics diagnostics;
    Flow flow = current_flow(services, record, diagnostics);
    if (flow.source != record.flow_source) {
        if (diagnostics.has_errors()) {
            throw InvalidFlow(std::move(diagnostics), flow.path, flow.source);
        }
        c.record.flow_source = flow.source;
        c.record.flow_name = flow.name;
        c.record.env = recorded_environment(services, flow);
        c.why.push_back(fmt::format("{} has changed", record.flow_path));
    }
    Subflows subflows;
    if (!flow.incomplete) {
        subflows = note_changed_subflows(services, project, record, flow, c);
    }
    const bool flow_changed = flow.source != record.flow_source;
    if (flow_changed || !params.empty()) {
        ParameterSources sources = params;
        sources.config = config_files_of(record, params.config);
        const ResolvedInputs inputs =
            resolve_inputs(services, keep ? &store : nullptr, project, flow, sources, &record);
        c.record.config_files = sources.config;
        c.record.params = inputs.params;
        c.record.config = inputs.config;
        if (!(inputs.params == record.params)) {
            c.why.push_back("parameters have changed: " + changed_names(record.params, inputs.params));
        }
        if (!(inputs.config == record.config)) {
            c.why.push_back("configuration has changed");
        }
    }
    const auto scan = [&](bool kept) {
        return scan_project(services, store, record.project_folder, flow, code_limits(project.settings),
                            kept);
    };
    CodeManifest code = scan(false);
    if (code.hash != record.code.hash) {
        c.why.push_back("code has changed: " + code_changes(record.code, code));
        if (keep) {
            check_secret_files(services, store, project, flow, subflows, params);
            code = scan(true);
        }
        c.record.code = std::move(code);
        c.record.git = git_state(services.process, record.project_folder);
    }
    return c;
}

void apply_parts(Changes& changes, const std::vector<std::string>& from,
                 const std::vector<std::string>& until) {
    RunRecord& record = changes.record;
    Diagnostics none;
    const Flow flow = load_flow(record.flow_source, record.flow_path, none, record.overrides);
    check_step_names(flow, from, "--from");
    check_step_names(flow, until, "--until");
    if (!from.empty() || !until.empty()) {
        record.until = until;
        record.only.clear();
    }
    check_step_names(flow, record.until, fmt::format("run {} (--until)", record.run));
    check_step_names(flow, record.only, fmt::format("run {} (--only)", record.run));
    record.from = from;
    if (!from.empty()) {
        changes.why.push_back(fmt::format("asked for: {}, and all that needs {}", join(from, ", "),
                                          from.size() == 1 ? "it" : "them"));
    }
    if (!until.empty()) {
        changes.why.push_back("asked for: a partial run, " + partial_text(record));
    }
}

void check_from(const RunRecord& record, const Graph& graph) {
    for (const std::string& name : record.from) {
        if (graph.id(name) >= graph.nodes.size()) {
            throw Error(ExitCode::usage, fmt::format("--from {} is no part of the run: it runs {}", name,
                                                     partial_text(record)));
        }
    }
}

std::vector<std::pair<std::string, std::string>> config_files_of(
    const RunRecord& record, const std::vector<std::pair<std::string, std::string>>& given) {
    auto out = given;
    for (const auto& before : record.config_files) {
        const bool newer = std::any_of(given.begin(), given.end(),
                                       [&](const auto& named) { return named.first == before.first; });
        if (!newer) {
            out.push_back(before);
        }
    }
    return out;
}

}  // namespace amp
