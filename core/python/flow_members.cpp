#include "core/python/flow_members.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "core/base/text.hpp"
#include "core/python/decorators.hpp"
#include "core/python/transition.hpp"

namespace amp::python {
namespace {

constexpr auto k_plain_types = std::to_array<std::string_view>({"str", "int", "float", "bool"});

class Members {
  public:
    Members(const Methods& methods, PythonFlow& flow)
        : methods_(methods), names_(methods.names()), tree_(names_.tree()), flow_(flow), flows_(methods) {}

    void run() {
        std::unordered_set<std::string_view> seen;
        for (std::size_t i = 0; i < methods_.order().size(); ++i) {
            for (const Member& member : methods_.at(i).members) {
                if (seen.insert(member.name).second) {
                    read(member, i);
                }
            }
        }
        const auto by_place = [](const auto& a, const auto& b) {
            return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
        };
        std::sort(flow_.steps.begin(), flow_.steps.end(), by_place);
        std::sort(flow_.parameters.begin(), flow_.parameters.end(), by_place);
        std::sort(flow_.constants.begin(), flow_.constants.end(), by_place);
    }

  private:
    void undecided(Undecided::About about, Place place, std::string reason, std::string_view step = {}) {
        flow_.undecided.push_back({about, place, std::move(reason), std::string(step)});
    }

    void read(const Member& member, std::size_t place_in_order) {
        const std::string class_name(methods_.at(place_in_order).name);
        if (tree_.is(member.node, Kind::function_def)) {
            function(member, place_in_order, class_name);
        } else if (member.value != k_no_node) {
            value(member, class_name);
        }
    }

    void function(const Member& member, std::size_t place_in_order, const std::string& class_name) {
        StepDecorators decorators = read_step_decorators(names_, member.node);
        if (!decorators.is_step) {
            other_method(member, decorators);
            return;
        }
        if (member.conditional) {
            undecided(Undecided::About::steps, names_.place(member.name),
                      "the step '" + std::string(member.name) +
                          "' is made within an 'if', a loop or a 'try' of the class",
                      member.name);
        }
        PythonStep step;
        step.name = std::string(member.name);
        step.class_name = class_name;
        step.place = names_.place(member.name);
        step.def_place = names_.place(member.node);
        step.doc = doc_of(tree_, tree_.group(member.node, 4));
        step.async = tree_[member.node].flag;
        step.step_arguments = std::move(decorators.step_arguments);
        parameters_of(member.node, step);
        step.next_calls = read_next_calls(names_, member.node, step.self_name);
        step.self_rebound = rebound(member.node, step.self_name);
        step_decorators(decorators.others, step);
        step.decorators = std::move(decorators.others);
        step.dataflow = flows_.of(member.node, place_in_order, step.inputs_name.empty() ? 0 : 1);
        for (auto* one : {&step.dataflow.sets_undecided, &step.dataflow.reads_undecided}) {
            if (*one) {
                (*one)->step = step.name;
            }
        }
        flow_.steps.push_back(std::move(step));
    }

    void other_method(const Member& member, const StepDecorators& decorators) {
        flow_.methods.emplace_back(member.name);
        for (const Decorator& decorator : decorators.others) {
            const bool accessor = decorator.name.ends_with(".setter") ||
                                  decorator.name.ends_with(".getter") || decorator.name.ends_with(".deleter");
            if (const auto why =
                    accessor ? std::nullopt : why_undecided(names_, methods_.classes(), decorator)) {
                undecided(Undecided::About::steps, decorator.place,
                          *why + ", so '" + std::string(member.name) + "' may be a step");
            }
        }
        if (member.name == "__init_subclass__") {
            undecided(Undecided::About::steps, names_.place(member.name),
                      "'__init_subclass__' may change the class when it is made");
        }
    }

    void parameters_of(NodeId function, PythonStep& step) {
        const auto all = tree_.children(tree_.child(function, 2));
        for (const NodeId id : all) {
            const auto what = static_cast<ParameterKind>(tree_[id].number);
            if (what != ParameterKind::positional && what != ParameterKind::positional_only) {
                step.other_parameters = true;
                continue;
            }
            if (step.parameter_count == 0) {
                step.self_name = std::string(tree_[id].text);
            } else if (step.parameter_count == 1) {
                step.inputs_name = std::string(tree_[id].text);
            }
            ++step.parameter_count;
        }
    }

    /// `self = …` anywhere in the function.
    std::optional<Place> rebound(NodeId id, std::string_view self) const {
        for (const NodeId child : tree_.children(id)) {
            if (child == k_no_node) {
                continue;
            }
            std::size_t first = 0;
            std::size_t count = 0;
            switch (tree_[child].kind) {
                case Kind::assign:
                    first = 1;
                    count = tree_.children(child).size();
                    break;
                case Kind::aug_assign:
                case Kind::ann_assign:
                case Kind::for_:
                case Kind::named:
                    count = 1;
                    break;
                case Kind::with_item:
                    first = 1;
                    count = 2;
                    break;
                case Kind::function_def:
                case Kind::class_def:
                case Kind::lambda:
                    continue;
                default:
                    break;
            }
            for (std::size_t i = first; i < count; ++i) {
                if (const NodeId to = tree_.child(child, i);
                    tree_.is(to, Kind::name) && tree_[to].text == self) {
                    return names_.place(to);
                }
            }
            if (const auto below = rebound(child, self)) {
                return below;
            }
        }
        return std::nullopt;
    }

    void step_decorators(const std::vector<Decorator>& decorators, const PythonStep& step) {
        for (const Decorator& decorator : decorators) {
            if (const auto why = why_undecided(names_, methods_.classes(), decorator)) {
                undecided(Undecided::About::decorators, decorator.place, *why, step.name);
            } else {
                add_computed(decorator, step.name, flow_.undecided);
            }
        }
    }

    /// `x = …` in the class: a parameter where it calls one, also by way of a name of the file.
    void value(const Member& member, const std::string& class_name) {
        NodeId given = member.value;
        if (tree_.is(given, Kind::name)) {
            if (const NodeId assigned = names_.assigned(tree_[given].text); tree_.is(assigned, Kind::call)) {
                given = assigned;
            } else if (const auto* other = methods_.find(tree_[given].text).member;
                       other != nullptr && tree_.is(other->node, Kind::function_def)) {
                undecided(
                    Undecided::About::steps, names_.place(member.value),
                    "'" + std::string(member.name) + "' is another name of a method, which may be a step");
                return;
            }
        }
        if (tree_.is(given, Kind::call)) {
            const Origin callee = names_.origin(tree_.child(given, 0));
            if (const auto kind = parameter_kind(callee)) {
                parameter(member, given, *kind, class_name);
                return;
            }
            made_by_call(member, given, callee);
        }
        flow_.constants.push_back(
            {std::string(member.name), names_.value(member.value), class_name, names_.place(member.name)});
    }

    static std::optional<PythonParameter::Kind> parameter_kind(const Origin& callee) {
        if (callee.is_metaflow("Parameter")) {
            return PythonParameter::Kind::parameter;
        }
        if (callee.is_metaflow("IncludeFile")) {
            return PythonParameter::Kind::include_file;
        }
        return callee.is_metaflow("Config") ? std::optional(PythonParameter::Kind::config) : std::nullopt;
    }

    /// What a function makes may be a parameter or a step: of the file's own functions it can be seen.
    void made_by_call(const Member& member, NodeId call, const Origin& callee) {
        const auto may_be = [&](std::string_view why) {
            undecided(Undecided::About::parameters, names_.place(call),
                      "'" + std::string(member.name) + "' is made by '" + names_.text(tree_.child(call, 0)) +
                          "', " + std::string(why));
        };
        if (callee.is_metaflow("step")) {
            undecided(Undecided::About::steps, names_.place(call),
                      "the step '" + std::string(member.name) + "' is made by a call");
        } else if (callee.kind == Origin::Kind::defined) {
            const NodeId function = names_.function(callee.name);
            if (function != k_no_node) {
                const auto [known, fresh] = makes_parameters_.try_emplace(function, false);
                known->second = fresh ? mentions_parameter(function) : known->second;
                if (known->second) {
                    may_be("which makes parameters");
                }
            }
        } else if (callee.kind == Origin::Kind::imported && callee.module.starts_with('.')) {
            may_be("which comes from another module, and may be a parameter");
        }
    }

    bool mentions_parameter(NodeId id) const {
        if (id == k_no_node) {
            return false;
        }
        if (tree_.is(id, Kind::call) && parameter_kind(names_.origin(tree_.child(id, 0)))) {
            return true;
        }
        const auto children = tree_.children(id);
        return std::any_of(children.begin(), children.end(),
                           [&](NodeId child) { return mentions_parameter(child); });
    }

    void parameter(const Member& member, NodeId call, PythonParameter::Kind kind,
                   const std::string& class_name) {
        PythonParameter out;
        out.kind = kind;
        out.attribute = std::string(member.name);
        out.class_name = class_name;
        out.place = names_.place(member.name);
        out.arguments = names_.arguments(tree_.children(call).subspan(1));
        if (!out.arguments.positional.empty()) {
            out.name = out.arguments.positional.front();
        } else if (const SourceValue* name = out.arguments.find("name")) {
            out.name = *name;
        }
        if (out.name.as_text() == nullptr) {
            undecided(Undecided::About::parameters, out.place,
                      "the name of the parameter '" + out.attribute + "' is computed");
        }
        if (member.conditional) {
            undecided(Undecided::About::parameters, out.place,
                      "the parameter '" + out.attribute +
                          "' is made within an 'if', a loop or a 'try' of the class");
        }
        for (const KeywordArgument& argument : out.arguments.keywords) {
            if (argument.value.computed() && argument.name != "name" && !is_known_type(argument)) {
                undecided(
                    Undecided::About::parameters, argument.value.place,
                    argument.name.empty()
                        ? "arguments of the parameter '" + out.attribute + "' are computed"
                        : "the '" + argument.name + "' of the parameter '" + out.attribute + "' is computed");
            }
        }
        flow_.parameters.push_back(std::move(out));
    }

    static bool is_known_type(const KeywordArgument& argument) {
        if (argument.name != "type") {
            return false;
        }
        const std::string& type = argument.value.refers_to;
        return type == "metaflow.JSONType" || type == "amp.JSONType" ||
               std::find(k_plain_types.begin(), k_plain_types.end(), type) != k_plain_types.end();
    }

    const Methods& methods_;
    const Names& names_;
    const Tree& tree_;
    PythonFlow& flow_;
    Dataflows flows_;
    std::unordered_map<NodeId, bool> makes_parameters_;  ///< functions of the file
};

}  // namespace

void read_members(const Methods& methods, PythonFlow& flow) {
    Members(methods, flow).run();
}

std::string doc_of(const Tree& tree, std::span<const NodeId> body) {
    if (body.empty() || !tree.is(body.front(), Kind::expression_statement) ||
        !tree.is(tree.child(body.front(), 0), Kind::string)) {
        return {};
    }
    const std::vector<std::string_view> lines = split(tree[tree.child(body.front(), 0)].text, '\n');
    std::size_t margin = std::string_view::npos;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        margin = std::min(margin, lines[i].find_first_not_of(" \t"));
    }
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        const std::size_t cut = i == 0 ? line.find_first_not_of(" \t") : margin;
        out.append(i == 0 ? "" : "\n").append(line.substr(std::min(cut, line.size())));
    }
    const std::string_view whole = trim(out);
    return std::string(whole);
}

}  // namespace amp::python
