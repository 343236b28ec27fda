#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.hpp"
#include "core/flow/load.hpp"
#include "core/flow/references.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

/// Which steps a condition may skip, theirs or one before them.
struct Skips {
    explicit Skips(const Graph& graph)
        : by_needs(graph.nodes.size(), false), at_all(graph.nodes.size(), false) {
        for (const StepId id : graph.order) {
            const auto& needs = graph.nodes[id].needs;
            by_needs[id] = !needs.empty() && std::all_of(needs.begin(), needs.end(), [&](const auto& edge) {
                return edge.conditional || at_all[edge.from];
            });
            at_all[id] = by_needs[id] || graph.nodes[id].when;
        }
    }
    std::vector<bool> by_needs;
    std::vector<bool> at_all;
};

/// Is what stands there surely evaluated in a run that does not fail before, and does the run then fail?
bool is_certain(const Step& step, const Graph::Node& node, Site site, bool skipped_by_needs, bool skipped) {
    if (!step.catch_as.empty()) {
        return false;
    }
    const std::size_t levels = node.stack.size();
    const std::size_t outer = node.foreach && levels > 0 ? levels - 1 : levels;  // lists may be empty
    switch (site) {
        case Site::foreach:
            return outer == 0 && !skipped;
        case Site::edge:
            return outer == 0 && !skipped_by_needs;
        case Site::when:
            return (node.when_per_item ? levels : outer) == 0 && !skipped_by_needs;
        default:
            return levels == 0 && !skipped;
    }
}

/// What is missing, and where that is seen first: where it surely fails, if anywhere.
struct Missing {
    Place place;
    bool certain = false;
};

class SurroundingsCheck {
  public:
    SurroundingsCheck(const Flow& flow, const Graph& graph, const FlowSurroundings& surroundings)
        : flow_(flow), graph_(graph), surroundings_(surroundings) {}

    void find() {
        if (flow_.max_workers) {
            Diagnostics told_before;
            for (const Expression& expression : expressions_of(*flow_.max_workers, told_before)) {
                look_at(expression, {}, true);
            }
        }
        const Skips skips(graph_);
        for (StepId id = 0; id < flow_.steps.size(); ++id) {
            look_at_step(id, skips);
        }
    }

    void report_secrets(Diagnostics& diagnostics) const {
        for (const Step& step : flow_.steps) {
            for (const auto& [variable, source] : step.secrets) {
                const std::string missing = missing_secret(source);
                if (!missing.empty()) {
                    diagnostics.add({"AMP1606",
                                     Diagnostic::Severity::warning,
                                     fmt::format("the secret '{}' has no value: {}", variable, missing),
                                     step.place_of("secrets"),
                                     "no run starts without it",
                                     {}});
                }
            }
        }
    }

    void report_files(Diagnostics& diagnostics) const {
        for (const Parameter& parameter : flow_.params) {
            if (parameter.type == Parameter::Type::file && parameter.fallback &&
                parameter.fallback->is_string() && surroundings_.has_file &&
                !surroundings_.has_file(parameter.fallback->as_string())) {
                diagnostics.warning(
                    "AMP1516", parameter.place,
                    fmt::format("the file '{}', the default of the parameter '{}', does not exist",
                                printable(parameter.fallback->as_string()), parameter.name),
                    fmt::format("no run starts without it, or another: -p {}=FILE", parameter.name));
            }
        }
    }

    /// They are files of the project, wherever the flow runs.
    void report_environments(Diagnostics& diagnostics) const {
        for (const Step& step : flow_.steps) {
            if (step.environment && surroundings_.has_file &&
                !surroundings_.has_file(step.environment->file)) {
                diagnostics.error("AMP1609", step.place_of("environment"),
                                  fmt::format("there is no file '{}', which the environment of step '{}' is "
                                              "made from",
                                              printable(step.environment->file), step.name),
                                  "it is looked for from the project's folder");
            }
        }
    }

    void report(bool starting, Diagnostics& diagnostics) const {
        const auto severity = [&](const Missing& missing) {
            return starting && missing.certain ? Diagnostic::Severity::error : Diagnostic::Severity::warning;
        };
        for (const auto& [name, missing] : variables_) {
            diagnostics.add(
                {"AMP1604",
                 severity(missing),
                 fmt::format("the variable '{}' is not set in the environment", name),
                 missing.place,
                 fmt::format("set it, or say what holds without it: default(env.{}, \"…\")", name),
                 {}});
        }
        if (git_) {
            diagnostics.add(
                {"AMP1605",
                 severity(*git_),
                 "there is no `git` here: the project's folder is no git work tree with a commit",
                 git_->place,
                 "commit the project, or say what holds without it: default(git.commit, \"none\")",
                 {}});
        }
    }

  private:
    using Names = std::set<std::string, std::less<>>;

    /// Empty: it is there, as far as can be told without looking it up.
    std::string missing_secret(const std::string& source) const {
        const std::string name = source.substr(source.find(':') + 1);
        if (source.starts_with("env:") && surroundings_.has_variable && !surroundings_.has_variable(name)) {
            return fmt::format("the variable '{}' is not set", name);
        }
        if (source.starts_with("file:") && !name.starts_with("~/") && surroundings_.has_file &&
            !surroundings_.has_file(name)) {
            return fmt::format("there is no file '{}'", printable(name));
        }
        return {};
    }

    /// "env.X" for a variable, "git" for all of git; empty: something else.
    static std::string asked_of(const Reference& reference) {
        if (reference.root == "git") {
            return "git";
        }
        const bool named = !reference.path.empty() && reference.path.front().kind == Access::Kind::member;
        return reference.root == "env" && named ? "env." + reference.path.front().name : std::string();
    }

    static void add_guarded(const Expression& expression, Names& names) {
        for (const Expression::Use& use : expression.uses()) {
            if (use.guarded) {
                names.insert(asked_of(use.reference));
            }
        }
    }

    void look_at_step(StepId id, const Skips& skips) {
        const Step& step = flow_.steps[id];
        const auto all = amp::expressions_of(step);
        Names guarded;  // a condition of the step that looks for it first
        for (const SiteExpression& entry : all) {
            if (entry.site == Site::when || entry.site == Site::edge) {
                add_guarded(entry.expression, guarded);
            }
        }
        for (const SiteExpression& entry : all) {
            if (!entry.later) {
                look_at(entry.expression, guarded,
                        is_certain(step, graph_.nodes[id], entry.site, skips.by_needs[id], skips.at_all[id]));
            }
        }
    }

    void look_at(const Expression& expression, Names guarded, bool certain) {
        add_guarded(expression, guarded);
        for (const Expression::Use& use : expression.uses()) {
            const std::string asked = asked_of(use.reference);
            if (!asked.empty() && !guarded.contains(asked) && is_missing(use.reference)) {
                note(use.reference, certain && !use.conditional);
            }
        }
    }

    bool is_missing(const Reference& reference) {
        if (reference.root == "env") {
            return surroundings_.has_variable && !surroundings_.has_variable(reference.path.front().name);
        }
        if (surroundings_.has_git && !git_known_) {
            git_known_ = surroundings_.has_git();
        }
        return git_known_ && !*git_known_;
    }

    void note(const Reference& reference, bool certain) {
        const Missing found{reference.place, certain};
        if (reference.root == "git") {
            git_ = git_ && (git_->certain || !certain) ? git_ : std::optional(found);
            return;
        }
        const auto [entry, fresh] = variables_.try_emplace(reference.path.front().name, found);
        if (!fresh && certain && !entry->second.certain) {
            entry->second = found;
        }
    }

    const Flow& flow_;
    const Graph& graph_;
    const FlowSurroundings& surroundings_;
    std::map<std::string, Missing> variables_;
    std::optional<Missing> git_;
    std::optional<bool> git_known_;
};

}  // namespace

void validate_surroundings(const Flow& flow, const Graph& graph, const FlowSurroundings& surroundings,
                           bool starting, Diagnostics& diagnostics) {
    if (flow.incomplete) {
        return;
    }
    SurroundingsCheck check(flow, graph, surroundings);
    check.find();
    check.report(starting, diagnostics);
    check.report_environments(diagnostics);
    if (!starting) {
        check.report_secrets(diagnostics);
        check.report_files(diagnostics);
    }
}

}  // namespace amp
