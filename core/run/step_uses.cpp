#include "core/run/step_uses.hpp"

#include "core/flow/setting.hpp"

namespace amp {
namespace {

void add_expressions(std::vector<Expression>& out, const TextTemplate& text) {
    const auto found = text.expressions();
    out.insert(out.end(), found.begin(), found.end());
}

/// The expressions that make a task what it is: its command, environment, folder and inputs.
std::vector<Expression> defining_expressions(const Step& step) {
    std::vector<Expression> out;
    if (step.command) {
        for (const auto& part : step.command->script()) {
            if (const auto* raw = std::get_if<Expression>(&part)) {
                out.push_back(*raw);
            }
        }
        for (const auto& variable : step.command->variables()) {
            out.push_back(variable.second);
        }
    }
    for (const TextTemplate& argument : step.arguments) {
        add_expressions(out, argument);
    }
    for (const auto& variable : step.env) {
        add_expressions(out, variable.second);
    }
    if (step.cwd) {
        add_expressions(out, *step.cwd);
    }
    for (const Step::Input& input : step.inputs) {
        out.push_back(input.source);
    }
    if (step.subflow_params) {
        Diagnostics ignored;  // the flow is valid
        const auto found = expressions_of(*step.subflow_params, ignored);
        out.insert(out.end(), found.begin(), found.end());
    }
    return out;
}

/// Those that decide how and whether it runs.
std::vector<Expression> deciding_expressions(const Step& step) {
    std::vector<Expression> out;
    for (const auto* expression : {&step.foreach, &step.when}) {
        if (*expression) {
            out.push_back(**expression);
        }
    }
    for (const Need& need : step.needs) {
        if (need.when) {
            out.push_back(*need.when);
        }
    }
    if (step.repeat && step.repeat->until) {
        out.push_back(*step.repeat->until);
    }
    Diagnostics ignored;  // the flow is valid
    const auto add = [&](const Setting& setting) {
        const auto found = expressions_of(setting, ignored);
        out.insert(out.end(), found.begin(), found.end());
    };
    for (const auto& [name, setting] : step.resources) {
        add(setting);
    }
    for (const auto* setting : {&step.timeout, &step.limit, &step.priority, &step.nodes, &step.tasks_per_node,
                                &step.launcher, &step.image, &step.container, &step.on}) {
        if (*setting) {
            add(**setting);
        }
    }
    if (step.wait) {
        for (const auto* text : {&step.wait->file, &step.wait->url}) {
            if (*text) {
                add_expressions(out, **text);
            }
        }
        if (step.wait->until) {
            out.push_back(*step.wait->until);
        }
    }
    for (const CacheFolder& cached : step.cache_dirs) {
        add_expressions(out, cached.folder);
    }
    return out;
}

}  // namespace

StepUses uses_of(const Step& step, const Flow& flow) {
    StepUses uses;
    for (const std::string& name : step.params) {
        if (name != "*") {
            uses.params.insert(name);
            continue;
        }
        for (const Parameter& parameter : flow.params) {
            uses.params.insert(parameter.name);
        }
    }
    for (const Expression& expression : defining_expressions(step)) {
        for (const auto& use : expression.uses()) {
            const Reference& r = use.reference;
            const bool named = !r.path.empty() && r.path.front().kind == Access::Kind::member;
            auto* set = r.root == "params"   ? &uses.params
                        : r.root == "config" ? &uses.config
                        : r.root == "env"    ? &uses.env
                                             : nullptr;
            if (set && named) {
                set->insert(r.path.front().name);
            }
        }
    }
    return uses;
}

std::set<std::string> environment_uses(const Flow& flow) {
    std::set<std::string> names;
    const auto add = [&names](const std::vector<Expression>& expressions) {
        for (const Expression& expression : expressions) {
            for (const auto& use : expression.uses()) {
                if (use.reference.root == "env" && !use.reference.path.empty()) {
                    names.insert(use.reference.path.front().name);
                }
            }
        }
    };
    for (const Step& step : flow.steps) {
        add(defining_expressions(step));
        add(deciding_expressions(step));
    }
    if (flow.max_workers) {
        Diagnostics ignored;  // the flow is valid
        add(expressions_of(*flow.max_workers, ignored));
    }
    return names;
}

}  // namespace amp
