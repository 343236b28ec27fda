#include "core/flow/subflows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/flow/params.hpp"
#include "core/flow/references.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

/// What a step asks of the flow that it runs.
class SubflowCheck {
  public:
    SubflowCheck(const Step& step, const Subflow& child, Diagnostics& diagnostics)
        : step_(step), child_(child), diagnostics_(diagnostics) {}

    void check() {
        const Value given = step_.subflow_params ? step_.subflow_params->value : Value(Object{});
        for (const auto& [name, value] : given.as_object()) {
            check_given(name, value);
        }
        for (const Parameter& parameter : child_.flow.params) {
            const bool needed = parameter.required && parameter.type != Parameter::Type::secret;
            if (needed && !parameter.fallback && given.find(parameter.name) == nullptr) {
                tell_parameter(
                    fmt::format("the parameter '{}' of {} gets no value", parameter.name, step_.subflow),
                    fmt::format("give it: params = {{ {} = \"…\" }}", parameter.name));
            }
        }
        const ArtifactIndex made(child_.flow);
        for (const TaskOutput& output : step_.outputs) {
            check_output(output, made);
        }
    }

  private:
    void tell_parameter(std::string message, std::string hint) {
        const Place place = step_.subflow_params ? step_.place_of("params") : step_.place_of("flow");
        diagnostics_.error("AMP1704", place, std::move(message), std::move(hint));
    }

    void check_given(const std::string& name, const Value& value) {
        const auto& params = child_.flow.params;
        const auto parameter =
            std::find_if(params.begin(), params.end(), [&](const Parameter& p) { return p.name == name; });
        if (parameter == params.end()) {
            std::vector<std::string> names;
            for (const Parameter& p : params) {
                names.push_back(p.name);
            }
            const auto near = did_you_mean(name, names);
            tell_parameter(fmt::format("{} has no parameter '{}'", step_.subflow, printable(name)),
                           near ? fmt::format("did you mean '{}'?", *near)
                                : fmt::format("add it to [params] of {}", step_.subflow));
            return;
        }
        if (parameter->type == Parameter::Type::secret) {
            tell_parameter(fmt::format("'{}' is a secret, which no flow gives to another", name),
                           fmt::format("leave it out: it is the secret of that name of this run, or its ${}",
                                       parameter_variable(name)));
            return;
        }
        Diagnostics told_before;
        if (!expressions_of(Setting{value, std::nullopt, {}}, told_before).empty()) {
            return;  // known when it runs
        }
        const auto converted = convert_parameter(parameter->type, value);
        const auto mistake = converted ? constraint_mistake(*parameter, *converted)
                                       : fmt::format("is not of its type, {}", type_name(parameter->type));
        if (mistake) {
            tell_parameter(fmt::format("{}, given to the parameter '{}' of {}, {}", json::dump(value), name,
                                       step_.subflow, *mistake),
                           {});
        }
    }

    void tell_output(std::string message, std::string hint) {
        diagnostics_.error("AMP1705", step_.place_of("outputs"), std::move(message), std::move(hint));
    }

    void check_output(const TaskOutput& output, const ArtifactIndex& made) {
        const SubflowOutput wanted = parse_subflow_output(output.path);
        const StepId maker = child_.graph.id(wanted.step);
        if (maker == child_.graph.nodes.size()) {
            std::vector<std::string> names;
            for (const Graph::Node& node : child_.graph.nodes) {
                names.push_back(node.name);
            }
            const auto near = did_you_mean(wanted.step, names);
            tell_output(fmt::format("{} has no step '{}', which output '{}' of step '{}' names",
                                    step_.subflow, wanted.step, output.name, step_.name),
                        near ? fmt::format("did you mean '{}.{}'?", *near, wanted.artifact) : std::string());
        } else if (!child_.graph.nodes[maker].stack.empty()) {
            tell_output(fmt::format("'{}' is made once an item by step '{}' of {}", wanted.artifact,
                                    wanted.step, step_.subflow),
                        "name an artifact of the step that joins them");
        } else if (!made.makes(maker, wanted.artifact)) {
            const auto near = did_you_mean(wanted.artifact, made.names(maker));
            tell_output(
                fmt::format("step '{}' of {} makes no '{}'", wanted.step, step_.subflow, wanted.artifact),
                near ? fmt::format("did you mean '{}.{}'?", wanted.step, *near)
                     : fmt::format("declare it there: outputs = {{ {} = \"{}\" }}", wanted.artifact,
                                   wanted.artifact));
        }
    }

    const Step& step_;
    const Subflow& child_;
    Diagnostics& diagnostics_;
};

class SubflowLoader {
  public:
    SubflowLoader(const SubflowSource& source, Diagnostics& diagnostics)
        : source_(source), diagnostics_(diagnostics) {}

    /// The keys of the files that the steps of a flow run.
    std::vector<std::string> load_steps(const Flow& flow, const std::string& key, std::string_view file) {
        chain_.push_back(key);
        Diagnostics found;
        std::vector<std::string> uses;
        for (const Step& step : flow.steps) {
            if (step.subflow.empty()) {
                continue;
            }
            const auto child = load_step(step, key, found);
            if (child && std::find(uses.begin(), uses.end(), *child) == uses.end()) {
                uses.push_back(*child);
            }
        }
        chain_.pop_back();
        add(found, file);
        return uses;
    }

    Subflows take() { return std::move(loaded_); }

  private:
    void add(const Diagnostics& found, std::string_view file) {
        for (Diagnostic diagnostic : found.sorted()) {
            if (diagnostic.file.empty()) {
                diagnostic.file = file;
            }
            diagnostics_.add(std::move(diagnostic));
        }
    }

    /// The key, unless the file cannot be used.
    std::optional<std::string> load_step(const Step& step, const std::string& from, Diagnostics& found) {
        const Place place = step.place_of("flow");
        const auto key = subflow_key(source_.folder, from, step.subflow);
        if (!key) {
            found.error("AMP1701", place,
                        fmt::format("'{}', the flow of step '{}', lies outside of the project",
                                    printable(step.subflow), step.name),
                        "a sub-flow is a file of the project");
            return std::nullopt;
        }
        if (std::find(chain_.begin(), chain_.end(), *key) != chain_.end()) {
            found.error("AMP1702", place,
                        fmt::format("{} runs itself: {} → {}", *key, join(chain_, " → "), *key),
                        "to do something again and again, use `repeat` or `foreach`");
            return std::nullopt;
        }
        if (chain_.size() > k_max_depth) {
            found.error(
                "AMP1703", place,
                fmt::format("sub-flows are {} deep here: {} → {}", chain_.size(), join(chain_, " → "), *key),
                fmt::format("at most {} are possible", k_max_depth));
            return std::nullopt;
        }
        if (!load_file(*key, step, found)) {
            return std::nullopt;
        }
        if (sound_.contains(*key)) {
            SubflowCheck(step, loaded_.at(*key), found).check();
        }
        return key;
    }

    bool load_file(const std::string& key, const Step& step, Diagnostics& found) {
        if (loaded_.contains(key)) {
            check_depth_again(key, step, found);
            return true;
        }
        const auto text = source_.read(key);
        if (!text) {
            found.error("AMP1701", step.place_of("flow"),
                        fmt::format("the flow '{}' of step '{}' does not exist in the project",
                                    printable(key), step.name));
            return false;
        }
        if (key.ends_with(".py")) {
            found.error(
                "AMP1706", step.place_of("flow"),
                fmt::format(
                    "the flow '{}' of step '{}' is in Python, and cannot be run by this version of amp",
                    printable(key), step.name));
            return false;
        }
        Diagnostics own;
        Subflow child;
        child.flow = load_flow(*text, key, own, source_.overrides);
        child.config = source_.config ? source_.config(child.flow, own) : Value(Object{});
        child.graph = validate(child.flow, own, child.config);
        add(own, key);
        if (!own.has_errors()) {
            sound_[key] = true;
        }
        child.uses = load_steps(child.flow, key, key);
        loaded_.emplace(key, std::move(child));
        return true;
    }

    /// A file that is reached once more may lie deeper this time.
    void check_depth_again(const std::string& key, const Step& step, Diagnostics& found) {
        const std::size_t deepest = chain_.size() + height(key);
        if (deepest > k_max_depth) {
            found.error("AMP1703", step.place_of("flow"),
                        fmt::format("sub-flows are {} deep below {} → {}", deepest, join(chain_, " → "), key),
                        fmt::format("at most {} are possible", k_max_depth));
        }
    }

    std::size_t height(const std::string& key) const {
        std::size_t most = 0;
        if (const auto found = loaded_.find(key); found != loaded_.end()) {
            for (const std::string& used : found->second.uses) {
                most = std::max(most, 1 + height(used));
            }
        }
        return most;
    }

    const SubflowSource& source_;
    Diagnostics& diagnostics_;
    Subflows loaded_;
    std::map<std::string, bool> sound_;
    std::vector<std::string> chain_;
};

}  // namespace

std::optional<std::string> subflow_key(std::string_view folder, std::string_view from,
                                       std::string_view named) {
    std::filesystem::path path(named);
    if (path.is_absolute()) {
        path = path.lexically_relative(folder);
    } else {
        path = std::filesystem::path(from).parent_path() / path;
    }
    const std::string key = path.lexically_normal().generic_string();
    const bool inside = !key.empty() && key != "." && key != ".." && !key.starts_with("../") && key[0] != '/';
    return inside ? std::optional(key) : std::nullopt;
}

Subflows load_subflows(const Flow& flow, const SubflowSource& source, Diagnostics& diagnostics) {
    SubflowLoader loader(source, diagnostics);
    loader.load_steps(flow, source.key, "");
    return loader.take();
}

SubflowOutput parse_subflow_output(std::string_view text) {
    const std::size_t dot = text.find('.');
    return {std::string(text.substr(0, dot)),
            dot == std::string_view::npos ? std::string() : std::string(text.substr(dot + 1))};
}

}  // namespace amp
