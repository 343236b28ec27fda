#include <algorithm>
#include <array>

#include "core/python/function_flow.hpp"

namespace amp::python {
namespace {

/// Functions of Python that may have `self` without doing anything to it.
constexpr auto k_harmless =
    std::to_array<std::string_view>({"isinstance", "type", "id", "repr", "str", "print", "hash", "callable"});
/// Functions of Python that read inputs no further than their other arguments do.
constexpr auto k_looking = std::to_array<std::string_view>(
    {"len", "enumerate", "zip", "list", "tuple", "sorted", "reversed", "iter",  "next",  "max",
     "min", "filter",    "map", "any",  "all",   "sum",    "bool",     "print", "range", "set"});

bool holds(std::span<const std::string_view> names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void FunctionFlow::call(NodeId id) {
    if (call_of_self(id) || call_of_super(id) || call_of_class(id) || call_of_builtin(id)) {
        return;
    }
    const NodeId callee = tree_.child(id, 0);
    visit(callee);
    // metaflow.S3(run=self) only looks who is running.
    const bool harmless = names_.origin(callee).is_metaflow("S3");
    for (const NodeId argument : tree_.children(id).subspan(1)) {
        const bool own = tree_.is(argument, Kind::keyword) && is_self(tree_.child(argument, 0));
        if (!(harmless && own)) {
            visit(argument);
        }
    }
}

/// The arguments of a call, from the one after `skip`. A function that is given the inputs and a lambda gives
/// the lambda one of them.
void FunctionFlow::arguments(NodeId id, std::size_t skip) {
    const auto all = tree_.children(id).subspan(1);
    const bool of_inputs = std::any_of(all.begin(), all.end(),
                                       [&](NodeId one) { return role_of(one).kind == Role::Kind::inputs; });
    for (std::size_t i = skip; i < all.size(); ++i) {
        const NodeId value = tree_.is(all[i], Kind::keyword) ? tree_.child(all[i], 0) : all[i];
        if (tree_.is(value, Kind::lambda)) {
            lambda(value, of_inputs ? Role{Role::Kind::item} : Role{});
        } else {
            consume(value);
        }
    }
}

bool FunctionFlow::call_of_self(NodeId id) {
    const NodeId callee = tree_.child(id, 0);
    if (!tree_.is(callee, Kind::attribute) || !is_self(tree_.child(callee, 0))) {
        return false;
    }
    const std::string_view name = tree_[callee].text;
    if (name == "next") {
        next_call(id);
        return true;
    }
    if (name == "merge_artifacts") {
        merge_artifacts(id);
        return true;
    }
    const Methods::Found found = methods_.find(name);
    if (found.member != nullptr && tree_.is(found.member->node, Kind::function_def)) {
        call_method(found, id, 0);
        return true;
    }
    if (found.member == nullptr && methods_.partly_elsewhere() && !is_set(name)) {
        escape_self(callee, names_.quoted(callee) + " may be a method of a class in another module");
    } else {
        read(name, callee);
    }
    visit_all(tree_.children(id).subspan(1));
    return true;
}

/// `super().method(…)`, `super(F, self).method(…)`.
bool FunctionFlow::call_of_super(NodeId id) {
    const NodeId callee = tree_.child(id, 0);
    const NodeId of = tree_.child(callee, 0);
    if (!tree_.is(callee, Kind::attribute) || !tree_.is(of, Kind::call) ||
        !tree_.is(tree_.child(of, 0), Kind::name) || tree_[tree_.child(of, 0)].text != "super") {
        return false;
    }
    const Methods::Found found = methods_.find(tree_[callee].text, place_in_order_ + 1);
    if (found.member != nullptr && tree_.is(found.member->node, Kind::function_def)) {
        call_method(found, id, 0);
        return true;
    }
    if (methods_.partly_elsewhere()) {
        escape_self(callee, names_.quoted(callee) + " is a method of a class in another module");
    }
    visit_all(tree_.children(id).subspan(1));
    return true;
}

/// `Base.method(self, …)`, with a class that the flow is made of.
bool FunctionFlow::call_of_class(NodeId id) {
    const NodeId callee = tree_.child(id, 0);
    if (!tree_.is(callee, Kind::attribute) || !is_self(tree_.child(id, 1)) ||
        !tree_.is(tree_.child(callee, 0), Kind::name)) {
        return false;
    }
    const auto index = methods_.classes().find(tree_[tree_.child(callee, 0)].text);
    const auto& order = methods_.order();
    const auto place = index ? std::find(order.begin(), order.end(), *index) : order.end();
    if (place == order.end()) {
        return false;
    }
    const Methods::Found found =
        methods_.find(tree_[callee].text, static_cast<std::size_t>(place - order.begin()));
    if (found.member == nullptr || !tree_.is(found.member->node, Kind::function_def)) {
        return false;
    }
    call_method(found, id, 1);
    return true;
}

/// `skip` of the arguments stand for `self`.
void FunctionFlow::call_method(const Methods::Found& found, NodeId id, std::size_t skip) {
    const auto given = tree_.children(id).subspan(1 + skip);
    std::size_t inputs_parameter = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const bool keyword = tree_.is(given[i], Kind::keyword);
        const NodeId value = keyword ? tree_.child(given[i], 0) : given[i];
        if (role_of(value).kind != Role::Kind::inputs) {
            visit(given[i]);
            continue;
        }
        consume(value);
        const auto parameters = tree_.children(tree_.child(found.member->node, 2));
        for (std::size_t p = 1; p < parameters.size(); ++p) {
            if (keyword ? tree_[parameters[p]].text == tree_[given[i]].text : p == i + 1) {
                inputs_parameter = p;
            }
        }
    }
    const NodeId function = found.member->node;
    if (methods_.has_decorator(function, "staticmethod") || methods_.has_decorator(function, "classmethod")) {
        return;
    }
    apply_method(found, inputs_parameter);
}

bool FunctionFlow::call_of_builtin(NodeId id) {
    const NodeId callee = tree_.child(id, 0);
    if (!tree_.is(callee, Kind::name) || names_.origin(callee).kind != Origin::Kind::builtin) {
        return false;
    }
    const std::string_view name = tree_[callee].text;
    if (attribute_builtin(id, name)) {
        return true;
    }
    if (name == "vars" && is_self(tree_.child(id, 1))) {
        escape_self(id, names_.quoted(id) + " shows all artifacts at once");
        return true;
    }
    if (holds(k_harmless, name)) {
        for (const NodeId argument : tree_.children(id).subspan(1)) {
            if (!is_self(argument)) {
                consume(argument);
            }
        }
        return true;
    }
    if (!holds(k_looking, name)) {
        return false;
    }
    arguments(id);
    return true;
}

/// hasattr, getattr, setattr, delattr: of `self` or an input, with a name that is written out.
bool FunctionFlow::attribute_builtin(NodeId id, std::string_view function) {
    if (function != "hasattr" && function != "getattr" && function != "setattr" && function != "delattr") {
        return false;
    }
    const NodeId object = tree_.child(id, 1);
    const NodeId key = tree_.child(id, 2);
    const Role role = role_of(object);
    const bool literal = tree_.is(key, Kind::string) && !tree_[key].flag;
    if (role.kind == Role::Kind::item && literal && function != "setattr") {
        consume(object);
        read_input(role.step, tree_[key].text, names_.place(id));
        visit_all(tree_.children(id).subspan(3 <= tree_.children(id).size() ? 3 : tree_.children(id).size()));
        return true;
    }
    if (!is_self(object)) {
        return false;
    }
    visit_all(tree_.children(id).subspan(std::min<std::size_t>(3, tree_.children(id).size())));
    if (!literal) {
        visit(key);
        escape_self(id, names_.quoted(id) + " names an artifact that is known only when it runs");
        return true;
    }
    const std::string_view name = tree_[key].text;
    if (function == "setattr") {
        set(name, names_.place(id));
    } else if (function == "delattr") {
        unset(name, names_.place(id));
    } else if (function == "hasattr" || tree_.children(id).size() > 3) {
        if (methods_.find(name).member == nullptr) {
            probe(name, names_.place(id));
            looked_for_.insert(name);
        }
    } else {
        read(name, id);
    }
    return true;
}

/// `self.next(…)`: steps are no artifacts; what it fans out over or chooses by is.
void FunctionFlow::next_call(NodeId id) {
    const auto step = [&](NodeId target) {
        if (!tree_.is(target, Kind::attribute) || !is_self(tree_.child(target, 0))) {
            visit(target);
        }
    };
    for (const NodeId argument : tree_.children(id).subspan(1)) {
        const Node& it = tree_[argument];
        if (it.kind == Kind::dict) {
            const auto entries = tree_.children(argument);
            for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
                visit(entries[i]);
                step(entries[i + 1]);
            }
            continue;
        }
        if (it.kind != Kind::keyword) {
            step(argument);
            continue;
        }
        const NodeId value = tree_.child(argument, 0);
        if (tree_.is(value, Kind::string) && (it.text == "foreach" || it.text == "condition")) {
            if (methods_.find(tree_[value].text).member == nullptr) {
                read_artifact(tree_[value].text, names_.place(value));
            }
        } else {
            visit(value);
        }
    }
}

void FunctionFlow::merge_artifacts(NodeId id) {
    MergeCall merge;
    merge.place = names_.place(id);
    merge.conditional = branches_ > 0 || nested_ > 0;
    merge.of_inputs = false;
    std::size_t positional = 0;
    const auto names = [&](NodeId value) -> std::optional<std::vector<std::string>> {
        const SourceValue given = names_.value(value);
        std::vector<std::string> out;
        if (!given.value || !given.value->is_list()) {
            visit(value);
            merge.computed = merge.computed || !given.value || !given.value->is_null();
            return std::nullopt;
        }
        for (const Value& one : given.value->as_list()) {
            if (one.is_string()) {
                out.push_back(one.as_string());
            }
        }
        return out;
    };
    constexpr auto k_order = std::to_array<std::string_view>({"inputs", "exclude", "include"});
    for (const NodeId argument : tree_.children(id).subspan(1)) {
        const bool keyword = tree_.is(argument, Kind::keyword);
        const NodeId value = keyword ? tree_.child(argument, 0) : argument;
        const std::string_view name = keyword                       ? tree_[argument].text
                                      : positional < k_order.size() ? k_order[positional++]
                                                                    : "";
        if (name == "inputs") {
            merge.of_inputs = role_of(value).kind == Role::Kind::inputs;
            consume(value);
        } else if (name == "include") {
            merge.include = names(value);
        } else if (name == "exclude") {
            merge.exclude = names(value);
        } else {
            visit(value);
            merge.computed = true;
        }
    }
    out_.merges.push_back(std::move(merge));
}

}  // namespace amp::python
