#include "core/flow/validate_constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>

#include "core/base/error.hpp"
#include "core/flow/references.hpp"
#include "core/flow/setting.hpp"

namespace amp {
namespace {

/// So that a file full of costly expressions does not take long: what is left is found by the run. Counted,
/// not timed: a flow is as right on a slow machine as on a fast one.
constexpr std::uint64_t k_patience = 5'000'000;

/// Nothing but parameters. Counts what is evaluated in it.
class ParameterScope : public Scope {
  public:
    ParameterScope(Value values, std::uint64_t& steps) : values_(std::move(values)), steps_(steps) {}

    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override {
        return root == "params" ? apply_path(values_, path) : std::nullopt;
    }
    bool failed(const std::optional<std::string>& /*step*/) const override { return false; }
    Timestamp now() const override { return {}; }
    void worked(std::uint64_t steps) const override { steps_ += steps; }

  private:
    Value values_;
    std::uint64_t& steps_;
};

/// What is wrong with an evaluation; empty: nothing.
struct Failure {
    std::string message;
    std::string hint;
};

class Constants {
  public:
    Constants(const Flow& flow, const Graph& graph, const Object* given, Diagnostics& diagnostics)
        : flow_(flow), graph_(graph), given_(given != nullptr), diagnostics_(diagnostics) {
        for (const Parameter& parameter : flow.params) {
            const bool hidden =
                parameter.type == Parameter::Type::secret || parameter.type == Parameter::Type::file;
            if (given != nullptr && !hidden) {
                values_.insert_or_assign(parameter.name, value_of(*given, parameter.name));
            } else if (parameter.fallback && !hidden) {
                values_.insert_or_assign(parameter.name, *parameter.fallback);
            }
        }
        shared_ = Value(values_);
    }

    void check() {
        std::vector<bool> sure(flow_.steps.size(), false);
        for (const StepId id : graph_.order) {
            const Step& step = flow_.steps[id];
            const auto& needs = graph_.nodes[id].needs;
            sure_ = !step.is_cleanup() && step.catch_as.empty() &&
                    std::all_of(needs.begin(), needs.end(), [&](const Graph::Edge& edge) {
                        return sure[edge.from] && !edge.conditional;
                    });
            failed_.clear();
            check_when(step);
            if (sure_ || !skipped_) {
                check_foreach(step);
            }
            if (!skipped_) {
                check_rest(step);
            }
            sure[id] = sure_ && !skipped_;
        }
    }

  private:
    static Value value_of(const Object& values, const std::string& name) {
        const auto it = std::find_if(values.begin(), values.end(),
                                     [&](const auto& member) { return member.first == name; });
        return it == values.end() ? Value() : it->second;
    }

    /// The parameters that all of it hangs on; nullopt: on something else too, or on one without a value.
    std::optional<std::vector<std::string>> parameters_of(const Expression& expression) const {
        std::vector<std::string> names;
        for (const Expression::Use& use : expression.uses()) {
            const Reference& reference = use.reference;
            if (reference.root != "params" || reference.path.empty() ||
                reference.path.front().kind != Access::Kind::member ||
                values_.find(reference.path.front().name) == values_.end()) {
                return std::nullopt;
            }
            names.push_back(reference.path.front().name);
        }
        return names;
    }

    std::optional<Value> value_if_constant(const Expression& expression) {
        if (steps_ > k_patience || !parameters_of(expression)) {
            return std::nullopt;
        }
        try {
            return expression.evaluate(ParameterScope(shared_, steps_));
        } catch (const Error&) {
            return std::nullopt;
        }
    }

    /// Whether the step runs, as far as that is known: what is skipped has no failures to tell.
    void check_when(const Step& step) {
        skipped_ = false;
        if (!step.when || step.is_cleanup()) {
            return;
        }
        check_expression(*step.when, false);
        const auto value = value_if_constant(*step.when);
        skipped_ = value && !truthy(*value);
        sure_ = sure_ && value.has_value();
    }

    void check_foreach(const Step& step) {
        if (!step.foreach) {
            return;
        }
        check_expression(*step.foreach, true);
        const auto value = value_if_constant(*step.foreach);
        skipped_ = skipped_ || (value && value->is_list() && value->as_list().empty());
        sure_ = sure_ && value.has_value();
    }

    void check_rest(const Step& step) {
        for (const SiteExpression& entry : expressions_of(step)) {
            if (entry.site != Site::foreach && entry.site != Site::when && entry.site != Site::input &&
                !entry.later) {
                check_expression(entry.expression, false);
            }
        }
        check_settings(step);
    }

    void check_expression(const Expression& expression, bool list) {
        const auto names = parameters_of(expression);
        if (!names || expression.is_cleanup()) {
            return;
        }
        const auto action = [&](const Scope& scope) {
            const Value value = expression.evaluate(scope);
            if (list && !value.is_list()) {
                throw Error(ExitCode::invalid,
                            fmt::format("foreach needs a list, but '{}' is not one: {}", expression.text(),
                                        value.type_name()),
                            {}, "range(n) counts; [x] is a list of one; keys(x) are those of an object");
            }
        };
        if (!tell("AMP1113", expression.place(), *names, action)) {
            failed_.push_back(expression.place());
        }
    }

    void check_settings(const Step& step) {
        const auto one = [&](const Setting& setting, auto read) {
            Diagnostics told_before;
            std::vector<std::string> names;
            const std::vector<Expression> expressions = expressions_of(setting, told_before);
            for (const Expression& expression : expressions) {
                const auto used = parameters_of(expression);
                if (!used || has_failed(expression.place())) {
                    return;
                }
                names.insert(names.end(), used->begin(), used->end());
            }
            if (!expressions.empty()) {
                tell("AMP1114", setting.place, names,
                     [&](const Scope& scope) { static_cast<void>(read(setting, scope)); });
            }
        };
        const auto key = [&](std::string_view name) { return fmt::format("step.{}.{}", step.name, name); };
        if (step.timeout) {
            one(*step.timeout, [&](const Setting& setting, const Scope& scope) {
                return setting_duration_s(setting, scope, key("timeout"));
            });
        }
        for (const auto& [name, value] : step.resources) {
            one(value, [&, &name = name](const Setting& setting, const Scope& scope) {
                const std::string full = key("resources." + name);
                if (name == "cpu" || name == "gpu") {
                    setting_number(setting, scope, full);
                } else if (name == "memory" || name == "disk") {
                    setting_size_bytes(setting, scope, full);
                }
                return true;
            });
        }
    }

    bool has_failed(Place place) const {
        return std::find(failed_.begin(), failed_.end(), place) != failed_.end();
    }

    std::optional<Failure> attempt(const std::function<void(const Scope&)>& action) {
        try {
            action(ParameterScope(shared_, steps_));
            return std::nullopt;
        } catch (const Error& error) {
            return Failure{error.message(), error.hint()};
        }
    }

    /// @return false after telling that `action` fails
    bool tell(const std::string& code, Place place, const std::vector<std::string>& names,
              const std::function<void(const Scope&)>& action) {
        if (steps_ > k_patience) {
            return true;
        }
        const auto failure = attempt(action);
        if (!failure) {
            return true;
        }
        if (sure_ && (given_ || names.empty())) {  // else another value may be right
            diagnostics_.error(code, place, failure->message, failure->hint);
        } else {
            diagnostics_.warning(
                code, place,
                names.empty() ? failure->message
                              : fmt::format("{}, with the default of params.{}", failure->message, names[0]),
                failure->hint);
        }
        return false;
    }

    const Flow& flow_;
    const Graph& graph_;
    bool given_;
    bool sure_ = false;     ///< the step that is looked at runs whatever happens
    bool skipped_ = false;  ///< … or surely not
    Diagnostics& diagnostics_;
    Object values_;
    Value shared_;  ///< the same, cheap to copy
    std::vector<Place> failed_;
    std::uint64_t steps_ = 0;  ///< evaluated so far
};

}  // namespace

void validate_constants(const Flow& flow, const Graph& graph, const Object* given, Diagnostics& diagnostics) {
    Constants(flow, graph, given, diagnostics).check();
}

}  // namespace amp
