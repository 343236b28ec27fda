#include "core/python/decorators.hpp"

#include <algorithm>
#include <array>

namespace amp::python {
namespace {

constexpr auto k_harmless =
    std::to_array<std::string_view>({"abc", "atexit", "contextlib", "dataclasses", "enum", "functools",
                                     "typing", "typing_extensions", "warnings"});

/// The class of the file that a decorator is, or nullptr.
const ClassInfo* class_of(const Classes& classes, const Decorator& decorator) {
    const auto index = classes.find(decorator.origin.name);
    return index ? &classes.all()[*index] : nullptr;
}

bool has_base(const ClassInfo& info, std::string_view name) {
    return std::any_of(info.bases.begin(), info.bases.end(),
                       [&](const FlowBase& base) { return base.origin.is_metaflow(name); });
}

}  // namespace

bool is_harmless_module(std::string_view module) {
    return std::find(k_harmless.begin(), k_harmless.end(), module.substr(0, module.find('.'))) !=
           k_harmless.end();
}

Decorator read_decorator(const Names& names, NodeId expression) {
    Decorator out;
    out.place = names.place(expression);
    const Tree& tree = names.tree();
    NodeId named = expression;
    if (tree.is(expression, Kind::call)) {
        out.called = true;
        out.arguments = names.arguments(tree.children(expression).subspan(1));
        named = tree.child(expression, 0);
    }
    out.name = names.text(named);
    out.computed = names.chain(named).empty();
    out.origin = names.origin(named);
    return out;
}

StepDecorators read_step_decorators(const Names& names, NodeId function) {
    StepDecorators out;
    for (const NodeId id : names.tree().group(function, 0)) {
        Decorator one = read_decorator(names, id);
        if (one.origin.is_metaflow("step")) {
            out.is_step = true;
            out.step_arguments = std::move(one.arguments);
        } else {
            one.below_step = out.is_step;
            out.others.push_back(std::move(one));
        }
    }
    return out;
}

std::optional<std::string> why_undecided(const Names& names, const Classes& classes,
                                         const Decorator& decorator) {
    const std::string what = "the decorator '" + decorator.name + "'";
    if (decorator.computed) {
        return what + " is computed";
    }
    switch (decorator.origin.kind) {
        case Origin::Kind::unknown:
            return what + " is the result of a computation, or comes from a star import";
        case Origin::Kind::builtin:
            return std::nullopt;
        case Origin::Kind::imported:
            if (decorator.origin.from_metaflow() || is_harmless_module(decorator.origin.module)) {
                return std::nullopt;
            }
            return what + " comes from the module '" + decorator.origin.module +
                   "', and may change what it decorates";
        case Origin::Kind::defined:
            break;
    }
    if (const ClassInfo* info = class_of(classes, decorator)) {
        if (has_base(*info, "UserStepDecorator")) {
            return std::nullopt;
        }
        const bool mutator = has_base(*info, "StepMutator") || has_base(*info, "FlowMutator");
        return mutator ? what + " is a mutator, which may add and remove decorators and parameters"
                       : what + " is a class of this file, and may change what it decorates";
    }
    if (const NodeId function = names.function(decorator.origin.name); function != k_no_node) {
        for (const NodeId id : names.tree().group(function, 0)) {
            if (read_decorator(names, id).origin.is_metaflow("user_step_decorator")) {
                return std::nullopt;
            }
        }
    }
    return what + " is a function of this file, and may change what it decorates";
}

void add_computed(const Decorator& decorator, std::string_view step, std::vector<Undecided>& out) {
    const auto add = [&](Place place, std::string reason) {
        out.push_back({Undecided::About::decorators, place, std::move(reason), std::string(step)});
    };
    for (const SourceValue& value : decorator.arguments.positional) {
        if (value.computed()) {
            add(value.place, "an argument of '" + decorator.name + "' is computed");
        }
    }
    for (const KeywordArgument& argument : decorator.arguments.keywords) {
        if (argument.value.computed()) {
            add(argument.value.place,
                argument.name.empty()
                    ? "arguments of '" + decorator.name + "' are computed"
                    : "the argument '" + argument.name + "' of '" + decorator.name + "' is computed");
        }
    }
}

}  // namespace amp::python
