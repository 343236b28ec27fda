#include <fmt/format.h>

#include <algorithm>

#include "core/flow/params.hpp"
#include "core/flow/validate_parts.hpp"

namespace amp::validating {
namespace {

/// Walks over a step's expressions and sorts out what each reference is.
class StepReferences {
  public:
    /// What all steps have in common.
    struct Names {
        std::set<std::string_view> loops = {"item"};
        std::set<std::string_view> secrets;  ///< variables of the environment that secrets come from
    };

    StepReferences(Context& context, ArtifactCheck& artifacts, const Names& names, StepId id)
        : context_(context),
          artifacts_(artifacts),
          names_(names),
          id_(id),
          step_(context.flow.steps[id]),
          node_(context.graph.nodes[id]) {}

    void check() {
        for (const SiteExpression& entry : expressions_of(step_)) {
            check_failed(entry);
            for (const Expression::Use& use : entry.expression.uses()) {
                if (!entry.rescued) {  // whether a shell would get it as a variable is not known
                    check_secret(entry, use.reference);
                }
                check_use(entry, use);
            }
        }
        for (const std::string& name : step_.params) {
            check_listed_parameter(name);
        }
    }

  private:
    void error(std::string code, const Reference& reference, std::string message, std::string hint = {}) {
        context_.diagnostics.error(std::move(code), reference.place, std::move(message), std::move(hint));
    }

    void check_failed(const SiteExpression& entry) {
        if (entry.expression.is_cleanup() && entry.site != Site::when) {
            context_.diagnostics.error("AMP1412", entry.expression.place(),
                                       "failed() and always() can stand in a step's `when` alone",
                                       "give the step when = \"failed()\"");
            return;
        }
        for (const std::string& name : entry.expression.failed_steps()) {
            artifacts_.add_failed(id_, name, entry.expression.place());
        }
    }

    /// A secret reaches a shell as a variable; everywhere else its value would be seen.
    void check_secret(const SiteExpression& entry, const Reference& reference) {
        if (reference.root == "env" && !reference.path.empty() &&
            names_.secrets.contains(reference.path.front().name)) {
            const std::string& name = reference.path.front().name;
            error("AMP1424", reference,
                  fmt::format("the secret '{}' would be seen here, and in the run's record", name),
                  "name it in `secrets` of this step: the task finds it as a variable");
            return;
        }
        if (reference.root != "params" || reference.path.empty()) {
            return;
        }
        const std::string& name = reference.path.front().name;
        const auto parameter = std::find_if(context_.flow.params.begin(), context_.flow.params.end(),
                                            [&](const Parameter& p) { return p.name == name; });
        if (parameter == context_.flow.params.end() || parameter->type != Parameter::Type::secret ||
            is_shell_variable(entry.expression)) {
            return;
        }
        error("AMP1424", reference, fmt::format("the secret '{}' would be seen here", name),
              fmt::format(
                  "name it in `params`: the task finds it as ${}; or write \"{{{{ params.{} }}}}\" in a "
                  "run that is a text",
                  parameter_variable(name), name));
    }

    bool is_shell_variable(const Expression& expression) const {
        if (!step_.command || !secret_parameter(expression, context_.flow)) {
            return false;
        }
        const auto& variables = step_.command->variables();
        return std::any_of(variables.begin(), variables.end(), [&](const auto& variable) {
            return variable.second.place().line == expression.place().line &&
                   variable.second.place().column == expression.place().column;
        });
    }

    void check_use(const SiteExpression& entry, const Expression::Use& use) {
        const Reference& reference = use.reference;
        if (entry.site == Site::input && !is_artifact_root(reference)) {
            error("AMP1029", reference,
                  fmt::format("the input '{}' of step '{}' is no artifact", reference.text(), step_.name),
                  "name an artifact: \"train.model\"");
            return;
        }
        if (check_fixed_root(context_, use)) {
            return;
        }
        if (reference.root == "outputs") {
            check_output(entry, reference);
        } else if (reference.root == "index" || names_.loops.contains(reference.root)) {
            check_item(entry, use);
        } else if (reference.root == "round" || reference.root == "prev") {
            check_round(entry, reference);
        } else if (reference.root == "attempt") {
            if (entry.site != Site::command && entry.site != Site::start) {
                not_known_yet(reference);
            }
        } else {
            check_artifact(entry, use);
        }
    }

    bool is_artifact_root(const Reference& reference) const {
        return context_.graph.id(reference.root) < context_.graph.nodes.size() ||
               !is_reserved_word(reference.root);
    }

    void not_known_yet(const Reference& reference) {
        error("AMP1407", reference,
              fmt::format("`{}` is not known yet where this is decided", reference.text()),
              "use it in `run` or `env`");
    }

    void check_output(const SiteExpression& entry, const Reference& reference) {
        if (entry.site != Site::command) {
            not_known_yet(reference);
            return;
        }
        if (reference.path.empty() || reference.path.front().kind != Access::Kind::member) {
            error("AMP1402", reference, "`outputs` alone is no value", "name one: outputs.model");
            return;
        }
        const std::string& name = reference.path.front().name;
        const auto& outputs = step_.outputs;
        if (std::none_of(outputs.begin(), outputs.end(),
                         [&](const TaskOutput& o) { return o.name == name; })) {
            std::vector<std::string> names;
            for (const TaskOutput& output : outputs) {
                names.push_back(output.name);
            }
            std::string hint = context_.suggester.hint(name, names);
            error("AMP1408", reference, fmt::format("step '{}' declares no output '{}'", step_.name, name),
                  hint.empty() ? fmt::format("add outputs = {{ {} = \"{}\" }}", name, name) : hint);
        }
    }

    /// How many levels of the stack are open where the expression is evaluated.
    std::size_t open_levels(Site site) const {
        const bool before_items = site == Site::foreach || site == Site::edge || site == Site::whole;
        const std::size_t all = node_.stack.size();
        return before_items && node_.foreach && all > 0 && node_.stack.back() == id_ ? all - 1 : all;
    }

    void check_item(const SiteExpression& entry, const Expression::Use& use) {
        const Reference& reference = use.reference;
        const std::size_t open = open_levels(entry.site);
        if (entry.site == Site::whole) {
            not_known_yet(reference);
            return;
        }
        for (std::size_t level = open; level-- > 0;) {
            if (reference.root == "index" || context_.flow.steps[node_.stack[level]].as == reference.root) {
                return;
            }
        }
        const bool item = reference.root == "item" || reference.root == "index";
        if (!item && (context_.graph.id(reference.root) < context_.graph.nodes.size() ||
                      !context_.artifacts.makers(reference.root).empty())) {
            check_artifact(entry, use);  // the name of an item elsewhere, but something else here
            return;
        }
        if (context_.graph.doubtful[id_]) {
            return;
        }
        error("AMP1409", reference,
              fmt::format("there is no `{}` here: no foreach {}is open", reference.root,
                          item ? "" : "with that name "),
              item_hint(open));
    }

    std::string item_hint(std::size_t open) const {
        if (open > 0) {
            return fmt::format("the item is called `{}` here", context_.flow.steps[node_.stack[open - 1]].as);
        }
        if (node_.foreach) {
            return "the list is made before there are items";
        }
        if (node_.joins) {
            return "the join has closed the foreach: what all items made is STEP.*.NAME";
        }
        return "give the step `foreach`, or let it need a foreach step";
    }

    void check_round(const SiteExpression& entry, const Reference& reference) {
        const bool prev = reference.root == "prev";
        if (!step_.repeat) {
            error("AMP1410", reference, fmt::format("`{}` is for steps with `repeat`", reference.text()),
                  "add repeat = { until = \"…\", max = … }");
            return;
        }
        if (entry.site == Site::foreach || entry.site == Site::edge || entry.site == Site::when ||
            entry.site == Site::whole) {
            not_known_yet(reference);
            return;
        }
        if (!prev) {
            return;
        }
        if (reference.path.empty() || reference.path.front().kind != Access::Kind::member) {
            error("AMP1402", reference, "`prev` alone is no value",
                  "name an artifact of the round before: prev.model");
            return;
        }
        const std::string& name = reference.path.front().name;
        if (!context_.artifacts.makes(id_, name)) {
            std::string hint = context_.suggester.hint(name, context_.artifacts.names(id_));
            error("AMP1413", reference,
                  fmt::format("`prev.{}`: step '{}' makes no '{}'", name, step_.name, name),
                  hint.empty() ? fmt::format("declare it: outputs = {{ {} = \"{}\" }}", name, name) : hint);
        }
    }

    void check_artifact(const SiteExpression& entry, const Expression::Use& use) {
        const Reference& reference = use.reference;
        const StepId target = context_.graph.id(reference.root);
        Lookup lookup{id_, entry.site, entry.need, use};
        if (entry.site == Site::whole) {
            not_known_yet(reference);
        } else if (target == context_.graph.nodes.size()) {
            artifacts_.add_bare_name(std::move(lookup));
        } else if (target == id_ && entry.site == Site::until) {
            check_own(reference);
        } else {
            artifacts_.add_step_reference(std::move(lookup), target);
        }
    }

    /// In `until` the step's own artifacts are those of the round that has just ended.
    void check_own(const Reference& reference) {
        if (reference.path.empty() || reference.path.front().kind != Access::Kind::member) {
            error("AMP1402", reference, fmt::format("`{}` alone is no value", reference.text()),
                  "name an artifact of it");
            return;
        }
        const std::string& name = reference.path.front().name;
        if (!context_.artifacts.makes(id_, name)) {
            std::string hint = context_.suggester.hint(name, context_.artifacts.names(id_));
            error("AMP1415", reference, fmt::format("step '{}' makes no '{}'", step_.name, name),
                  hint.empty() ? fmt::format("declare it: outputs = {{ {} = \"{}\" }}", name, name) : hint);
        }
    }

    void check_listed_parameter(const std::string& name) {
        if (name == "*") {
            context_.all_params_used = true;
            return;
        }
        if (context_.params.contains(name)) {
            context_.used_params.insert(name);
            return;
        }
        context_.diagnostics.error("AMP1401", step_.place_of("params"),
                                   fmt::format("the flow has no parameter '{}'", name),
                                   context_.suggester.hint(name, context_.params_list()));
    }

    Context& context_;
    ArtifactCheck& artifacts_;
    const Names& names_;
    StepId id_;
    const Step& step_;
    const Graph::Node& node_;
};

}  // namespace

void check_references(Context& context) {
    StepReferences::Names names;
    for (const Step& step : context.flow.steps) {
        if (step.foreach || step.is_broken("foreach")) {
            names.loops.insert(step.as);
        }
        for (const auto& [variable, source] : step.secrets) {
            if (source.starts_with("env:")) {
                names.secrets.insert(std::string_view(source).substr(4));
            }
        }
    }
    for (const Parameter& parameter : context.flow.params) {
        if (parameter.type == Parameter::Type::secret && !parameter.env.empty()) {
            names.secrets.insert(parameter.env);
        }
    }
    ArtifactCheck artifacts(context);
    for (StepId id = 0; id < context.flow.steps.size(); ++id) {
        StepReferences(context, artifacts, names, id).check();
    }
    artifacts.report();
}

}  // namespace amp::validating
