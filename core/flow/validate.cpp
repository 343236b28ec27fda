#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/flow/params.hpp"
#include "core/flow/setting.hpp"
#include "core/flow/validate_constants.hpp"
#include "core/flow/validate_parts.hpp"

namespace amp {
namespace validating {
namespace {

/// A path below the working folder without its "./", or empty.
std::string working_path(const TaskOutput& output) {
    if (!output.path.starts_with("./")) {
        return {};
    }
    std::string path;
    for (const std::string_view part : split(output.path, '/')) {
        if (!part.empty() && part != ".") {
            path += (path.empty() ? "" : "/") + std::string(part);
        }
    }
    return path;
}

/// max_workers is decided before anything runs.
void check_run_settings(Context& context) {
    if (!context.flow.max_workers) {
        return;
    }
    Diagnostics told_before;
    for (const Expression& expression : expressions_of(*context.flow.max_workers, told_before)) {
        for (const Expression::Use& use : expression.uses()) {
            if (!check_fixed_root(context, use)) {
                context.diagnostics.error(
                    "AMP1407", use.reference.place,
                    fmt::format("`{}` is not known yet where this is decided", use.reference.text()),
                    "only params, config, env and git are known before the run");
            }
        }
    }
}

}  // namespace

void check_loop_names(Context& context) {
    for (const Step& step : context.flow.steps) {
        if (step.foreach && step.as != "item" && context.graph.id(step.as) < context.graph.nodes.size()) {
            context.diagnostics.error(
                "AMP1310", step.place_of("as"),
                fmt::format("the item of step '{}' is called '{}', which is the name of a step", step.name,
                            step.as),
                "give it another name");
        }
    }
}

/// A flow that it runs has its secrets, by their names.
bool passes_secrets_on(const Flow& flow) {
    return std::any_of(flow.steps.begin(), flow.steps.end(),
                       [](const Step& step) { return !step.subflow.empty(); });
}

void check_parameters(Context& context) {
    const auto options = run_option_names();
    const bool passed_on = passes_secrets_on(context.flow);
    for (const Parameter& parameter : context.flow.params) {
        // A mistake may hide the use: then there is nothing to say yet.
        if (!context.all_params_used && !context.diagnostics.has_errors() &&
            !context.used_params.contains(parameter.name) &&
            !(passed_on && parameter.type == Parameter::Type::secret)) {
            context.diagnostics.warning(
                "AMP1509", parameter.place, fmt::format("no step uses the parameter '{}'", parameter.name),
                fmt::format("mention it as {{{{ params.{} }}}}, or list it in a step: params = [\"{}\"]",
                            parameter.name, parameter.name));
        }
        if (std::find(options.begin(), options.end(), option_form(parameter.name)) != options.end()) {
            context.diagnostics.warning(
                "AMP1510", parameter.place,
                fmt::format("--{} is an option of amp, so the parameter '{}' cannot be given by it",
                            option_form(parameter.name), parameter.name),
                fmt::format("give it by -p {}=…, or rename it", parameter.name));
        }
    }
}

void check_shared_outputs(Context& context) {
    struct Writer {
        StepId step;
        std::string_view output;
    };
    std::map<std::string, std::vector<Writer>> writers;
    for (const StepId id : context.graph.order) {
        const Step& step = context.flow.steps[id];
        for (const TaskOutput& output : step.outputs) {
            const std::string path = step.subflow.empty() ? working_path(output) : std::string();
            if (path.empty()) {
                continue;
            }
            if (!context.graph.nodes[id].stack.empty()) {
                context.diagnostics.error(
                    "AMP1311", step.place_of("outputs"),
                    fmt::format("the tasks of step '{}' would all write '{}' at once", step.name,
                                printable(output.path)),
                    fmt::format("leave out the ./, so that each has its own: {} = \"{}\"", output.name,
                                printable(path)));
                continue;
            }
            writers[path].push_back({id, output.name});
        }
    }
    // In topological order: if each comes before the next, all are in a line.
    std::vector<std::pair<std::pair<StepId, StepId>, Reach::Ticket>> asked;
    for (const auto& [path, list] : writers) {
        for (std::size_t i = 1; i < list.size(); ++i) {
            asked.push_back(
                {{list[i - 1].step, list[i].step}, context.reach.ask(list[i - 1].step, list[i].step)});
        }
    }
    context.reach.answer_all();
    for (const auto& [pair, ticket] : asked) {
        const Step& step = context.flow.steps[pair.second];
        const bool same = context.flow.steps[pair.first].name == step.name;  // one name twice: that was told
        if (!context.reach.answer(ticket) && !same && !context.graph.doubtful[pair.second]) {
            context.diagnostics.error("AMP1311", step.place_of("outputs"),
                                      fmt::format("steps '{}' and '{}' would write the same file at once",
                                                  context.flow.steps[pair.first].name, step.name),
                                      "leave out the ./, or let one need the other");
        }
    }
}

}  // namespace validating

Graph validate(const Flow& flow, Diagnostics& diagnostics, const Value& config) {
    if (flow.incomplete) {
        Diagnostics untold;  // the lines that are missing would only give false ones
        return build_graph(flow, untold);
    }
    Graph graph = build_graph(flow, diagnostics);
    const ArtifactIndex artifacts(flow);
    Reach reach(graph);
    validating::Context context{.flow = flow,
                                .graph = graph,
                                .artifacts = artifacts,
                                .reach = reach,
                                .config = config,
                                .diagnostics = diagnostics,
                                .suggester = {},
                                .params = {},
                                .used_params = {},
                                .all_params_used = false};
    for (const Parameter& parameter : flow.params) {
        context.params.insert(parameter.name);
    }
    validating::check_loop_names(context);
    validating::check_run_settings(context);
    validating::check_references(context);
    validating::check_parameters(context);
    validating::check_shared_outputs(context);
    validate_constants(flow, graph, nullptr, diagnostics);
    return graph;
}

}  // namespace amp
