#include "core/run/definition_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/flow/subflows.hpp"

namespace amp {
namespace {

std::string template_source(const ShellCommand& command) {
    std::string out;
    for (const auto& part : command.script()) {
        const auto* text = std::get_if<std::string>(&part);
        out += text ? *text : "{{" + std::get<Expression>(part).text() + "}}";
    }
    return out;
}

}  // namespace

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

std::string subflow_of(const Step& step, const RunRecord& record) {
    const auto own = subflow_key(record.project_folder, "", record.flow_path);
    const auto key = own ? subflow_key(record.project_folder, *own, step.subflow) : std::nullopt;
    if (!key) {
        throw Error(ExitCode::invalid, fmt::format("'{}' lies outside of the project", step.subflow));
    }
    return *key;
}

std::string flows_hash(const Value& flows, const std::string& key) {
    std::set<std::string> seen;
    std::vector<std::string> todo = {key};
    Object text;
    while (!todo.empty()) {
        const std::string next = std::move(todo.back());
        todo.pop_back();
        const Value* flow = seen.insert(next).second ? flows.find(next) : nullptr;
        if (flow == nullptr) {
            continue;
        }
        text.insert_or_assign(next, *flow);
        for (const Value& used : get_list(*flow, "uses")) {
            todo.push_back(used.as_string());
        }
    }
    return sha256_hex(json::dump(Value(std::move(text))));
}

Value sources_hash(const Step& step, const CodeManifest& code) {
    if (step.sources.empty()) {
        return {};
    }
    const auto used = [&step](const std::string& path) {
        return std::any_of(step.sources.begin(), step.sources.end(),
                           [&](const std::string& glob) { return glob_matches(glob, path); });
    };
    std::string text;
    if (code.mode != CodeMode::files) {  // what an image holds is known by its commit alone
        text = fmt::format("{} {}\n", code_mode_name(code.mode), code.base);
    }
    for (const std::string& path : code.deleted) {
        text += used(path) ? json::quote(path) + "deleted\n" : "";
    }
    for (const CodeEntry& entry : code.entries) {
        if (used(entry.path)) {
            text += json::quote(entry.path) + (entry.executable ? "x" : "-") + entry.sha256 +
                    entry.link_target + "\n";
        }
    }
    return sha256_hex(text);
}

}  // namespace amp
