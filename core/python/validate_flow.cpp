#include "core/python/validate_flow.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "core/python/validate_graph.hpp"
#include "core/python/validate_transition.hpp"

namespace amp::python {
namespace {

using Kind = Transition::Kind;

constexpr auto k_reserved = std::to_array<std::string_view>({"name", "next", "input", "index", "cmd"});

constexpr std::size_t k_near_hints = 50;

bool says(const PythonStep& step, std::string_view argument) {
    const SourceValue* value = step.step_arguments.find(argument);
    return value != nullptr && value->value && value->value->is_bool() && value->value->as_bool();
}

bool is_parallel(const PythonStep& step) {
    return std::any_of(step.decorators.begin(), step.decorators.end(),
                       [](const Decorator& one) { return one.origin.is_metaflow("parallel"); });
}

class Rules {
  public:
    Rules(const PythonFlow& flow, Diagnostics& diagnostics) : flow_(flow), diagnostics_(diagnostics) {
        for (std::size_t i = 0; i < flow.steps.size(); ++i) {
            ids_.emplace(flow.steps[i].name, i);
        }
        // What is unknown of decorators and parameters leaves the graph as it is.
        all_known_ = std::none_of(flow.undecided.begin(), flow.undecided.end(), [](const Undecided& one) {
            return one.about == Undecided::About::steps || one.about == Undecided::About::flow;
        });
    }

    void run() {
        if (!has_steps()) {
            return;
        }
        first_ = only("start");
        last_ = only("end");
        for (std::size_t id = 0; id < flow_.steps.size(); ++id) {
            step(id);
        }
        if (all_known_ && first_ && last_ && !diagnostics_.has_errors()) {
            graph();
        }
    }

  private:
    bool has_steps() {
        if (!flow_.steps.empty() || !all_known_) {
            return !flow_.steps.empty();
        }
        diagnostics_.error("AMP3005", flow_.place, "the flow '" + flow_.name + "' has no steps",
                           "decorate its methods with @step: the first is 'start', the last 'end'");
        return false;
    }

    /// The step that is marked, else the one of that name; a step that is alone is both.
    std::optional<std::size_t> only(const std::string& name) {
        std::optional<std::size_t> marked;
        for (std::size_t id = 0; id < flow_.steps.size(); ++id) {
            if (!says(flow_.steps[id], name)) {
                continue;
            }
            if (marked) {
                diagnostics_.error("AMP3005", flow_.steps[id].place,
                                   "two steps are marked @step(" + name + "=True): '" +
                                       flow_.steps[*marked].name + "' and '" + flow_.steps[id].name + "'",
                                   "mark one of them");
                return std::nullopt;
            }
            marked = id;
        }
        const auto named = ids_.find(name);
        if (marked && named != ids_.end() && named->second != *marked) {
            diagnostics_.error("AMP3005", flow_.steps[named->second].place,
                               "the step '" + name + "' is not the one that is marked @step(" + name +
                                   "=True), which is '" + flow_.steps[*marked].name + "'",
                               "give it another name");
            return std::nullopt;
        }
        if (marked || named != ids_.end()) {
            return marked ? marked : named->second;
        }
        const bool alone = flow_.steps.size() == 1 && all_known_;
        if (alone && (name == "start" || flow_.steps.front().next_calls.empty())) {
            return 0;
        }
        if (all_known_) {
            diagnostics_.error("AMP3005", flow_.place,
                               "the flow '" + flow_.name + "' has no step '" + name + "'",
                               near_step(flow_, name, "mark one: @step(" + name + "=True)"));
        }
        return std::nullopt;
    }

    void step(std::size_t id) {
        const PythonStep& it = flow_.steps[id];
        name(it);
        parameters(it);
        if (first_ == id && it.parameter_count == 2) {
            diagnostics_.error("AMP3007", it.place,
                               "'" + it.name + "' is the first step, and has nothing to join",
                               "def " + it.name + "(self)");
        }
        if (last_ == id) {
            end(it);
            return;
        }
        transition_in_place(it, last_.has_value() || !all_known_, diagnostics_);
        transition_form(it, diagnostics_);
        for (const auto& target : it.transition().targets) {
            known(target);
        }
        parallel(it);
    }

    void name(const PythonStep& it) {
        const auto bad = std::find_if(it.name.begin(), it.name.end(), [](char c) {
            return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
        });
        if (std::find(k_reserved.begin(), k_reserved.end(), it.name) != k_reserved.end()) {
            diagnostics_.error(
                "AMP3006", it.place,
                "a step cannot be called '" + it.name + "': that is something else in every flow",
                "give it another name");
        } else if (it.name.starts_with('_') || bad != it.name.end()) {
            diagnostics_.error("AMP3006", it.place, "a step cannot be called '" + it.name + "'",
                               "small letters, digits and underscores, and no underscore first");
        }
    }

    void parameters(const PythonStep& it) {
        if (it.parameter_count == 0) {
            diagnostics_.error("AMP3007", it.place, "the step '" + it.name + "' takes nothing, not even self",
                               "def " + it.name + "(self), or (self, inputs) where it joins");
        } else if (it.parameter_count > 2) {
            diagnostics_.error(
                "AMP3007", it.place,
                "the step '" + it.name + "' takes " + std::to_string(it.parameter_count) + " arguments",
                "a step takes self, and inputs where it joins");
        }
        const Kind kind = it.transition().kind;
        if (it.is_join() && (kind == Kind::split || kind == Kind::foreach || kind == Kind::num_parallel ||
                             kind == Kind::switch_)) {
            diagnostics_.error("AMP3007", it.transition().place,
                               "'" + it.name + "' takes inputs, so it joins, and cannot split as well",
                               "let it go to a step of its own, which splits");
        }
    }

    void end(const PythonStep& it) {
        if (it.parameter_count == 2) {
            diagnostics_.error("AMP3007", it.place, "'" + it.name + "' is the last step, and cannot join",
                               "join in a step before it");
        }
        if (it.transition().kind != Kind::none) {
            diagnostics_.error("AMP3011", it.transition().place,
                               "'" + it.name + "' is the last step, and goes nowhere",
                               "remove this self.next");
        }
    }

    void known(const Transition::Target& target) {
        if (target.name.empty() || !all_known_) {
            return;
        }
        const auto it = ids_.find(target.name);
        if (it == ids_.end()) {
            const bool method =
                std::find(flow_.methods.begin(), flow_.methods.end(), target.name) != flow_.methods.end();
            diagnostics_.error("AMP3010", target.place,
                               method ? "'" + target.name + "' is no step, but another method"
                                      : "there is no step '" + target.name + "'",
                               method ? "decorate it with @step" : near_target(target.name));
        } else if (first_ == it->second) {
            diagnostics_.error("AMP3011", target.place,
                               "'" + target.name + "' is the first step: nothing leads to it");
        }
    }

    /// Of the first ones: each looks at all steps.
    std::string near_target(const std::string& name) {
        return ++unknown_ > k_near_hints ? std::string() : near_step(flow_, name);
    }

    void parallel(const PythonStep& it) {
        const Transition& next = it.transition();
        for (const auto& target : next.targets) {
            const auto to = ids_.find(target.name);
            if (to == ids_.end()) {
                continue;
            }
            const PythonStep& other = flow_.steps[to->second];
            if (next.kind == Kind::num_parallel && !is_parallel(other) && !changed(other)) {
                diagnostics_.error(
                    "AMP3016", target.place,
                    "'" + other.name + "' is entered with num_parallel, but is no @parallel step",
                    "decorate it with @parallel");
            } else if (next.kind != Kind::num_parallel && is_parallel(other)) {
                diagnostics_.error(
                    "AMP3016", target.place,
                    "'" + other.name + "' is a @parallel step, and is entered without num_parallel",
                    "self.next(self." + other.name + ", num_parallel=2)");
            }
            if (is_parallel(it) && !other.is_join()) {
                diagnostics_.error("AMP3016", target.place,
                                   "'" + other.name + "' comes after the @parallel step '" + it.name +
                                       "', but does not join",
                                   "def " + other.name + "(self, inputs)");
            }
        }
    }

    /// Its decorators may be others than those written.
    bool changed(const PythonStep& step) const {
        return std::any_of(flow_.undecided.begin(), flow_.undecided.end(), [&](const Undecided& one) {
            return one.about == Undecided::About::decorators && (one.step.empty() || one.step == step.name);
        });
    }

    void graph() {
        StepGraph graph{std::vector<std::vector<std::size_t>>(flow_.steps.size()),
                        std::vector<std::vector<std::size_t>>(flow_.steps.size()), *first_, *last_};
        for (std::size_t id = 0; id < flow_.steps.size(); ++id) {
            for (const auto& target : flow_.steps[id].transition().targets) {
                const std::size_t to = ids_.at(target.name);
                auto& before = graph.before[to];  // each step comes once: it is the last there
                if (before.empty() || before.back() != id) {
                    graph.next[id].push_back(to);
                    before.push_back(id);
                }
            }
        }
        validate_graph(flow_, graph, diagnostics_);
    }

    const PythonFlow& flow_;
    Diagnostics& diagnostics_;
    std::unordered_map<std::string_view, std::size_t> ids_;
    bool all_known_ = true;
    std::size_t unknown_ = 0;
    std::optional<std::size_t> first_;
    std::optional<std::size_t> last_;
};

/// That the file has one flow, and which.
void which(const PythonFlow& flow, Diagnostics& diagnostics) {
    if (flow.found == PythonFlow::Found::none) {
        diagnostics.error("AMP3004", {}, "the file has no flow",
                          "a flow is a class of it: class MyFlow(FlowSpec), with FlowSpec from metaflow");
        return;
    }
    const bool started = std::any_of(flow.candidates.begin(), flow.candidates.end(),
                                     [](const FlowCandidate& one) { return one.started; });
    std::string names;
    Place place;
    for (const FlowCandidate& one : flow.candidates) {
        if (one.started || !started) {
            names += (names.empty() ? "'" : ", '") + one.name + "'";
            place = one.place;
        }
    }
    diagnostics.error("AMP3004", place,
                      (started ? "the file starts several flows: " : "the file has several flows: ") + names,
                      started ? "let it start one of them"
                              : "say which one it starts: if __name__ == \"__main__\": MyFlow()");
}

}  // namespace

void validate_flow(const PythonFlow& flow, Diagnostics& diagnostics) {
    if (flow.found == PythonFlow::Found::one) {
        Rules(flow, diagnostics).run();
    } else {
        which(flow, diagnostics);
    }
}

}  // namespace amp::python
