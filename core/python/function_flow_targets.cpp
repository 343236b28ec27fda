#include "core/python/function_flow.hpp"

namespace amp::python {
namespace {

constexpr int k_max_role_depth = 8;  // list(sorted(inputs)[1:])[0]

}  // namespace

void FunctionFlow::bind_role(std::string_view name, Role role) {
    const auto it = roles_.find(name);
    if (it == roles_.end() && role.kind == Role::Kind::none) {
        return;
    }
    role_log_.emplace_back(name, it == roles_.end() ? Role{} : it->second);
    if (role.kind == Role::Kind::none) {
        roles_.erase(it);
    } else {
        roles_.insert_or_assign(name, role);
    }
}

/// At the end of a scope of its own: a comprehension, a lambda.
void FunctionFlow::restore_roles(std::size_t mark) {
    while (role_log_.size() > mark) {
        const auto [name, role] = role_log_.back();
        role_log_.pop_back();
        if (role.kind == Role::Kind::none) {
            roles_.erase(name);
        } else {
            roles_.insert_or_assign(name, role);
        }
    }
}

/// Something is assigned to `id`, which holds `role` of the inputs then.
void FunctionFlow::target(NodeId id, Role role) {
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::name:
            if (is_self(id)) {
                escape_self(id, "'" + std::string(self_) + "' is given another value");
            } else {
                bind_role(it.text, role);
            }
            break;
        case Kind::attribute:
            if (is_self(tree_.child(id, 0))) {
                set(it.text, names_.place(it.text));
            } else {
                visit(tree_.child(id, 0));
            }
            break;
        case Kind::starred:
            target(tree_.child(id, 0), role);
            break;
        case Kind::tuple:
        case Kind::list:  // of the inputs: each element is one of them
            for (const NodeId child : tree_.children(id)) {
                const bool some = role.kind == Role::Kind::inputs;
                target(child, some && !tree_.is(child, Kind::starred) ? Role{Role::Kind::item}
                              : some                                  ? role
                                                                      : Role{});
            }
            break;
        default:
            visit_all(tree_.children(id));
    }
}

void FunctionFlow::target_from(NodeId id, NodeId value) {
    const Role role = role_of(value);
    if (role.kind != Role::Kind::none) {
        consume(value);
    } else {
        visit(value);
    }
    target(id, role);
}

void FunctionFlow::delete_target(NodeId id) {
    const Node& it = tree_[id];
    if (it.kind == Kind::attribute && is_self(tree_.child(id, 0))) {
        read_artifact(it.text, names_.place(it.text));
        unset(it.text, names_.place(it.text));
    } else if (it.kind == Kind::tuple || it.kind == Kind::list) {
        for (const NodeId child : tree_.children(id)) {
            delete_target(child);
        }
    } else if (it.kind == Kind::name) {
        bind_role(it.text, {});
    } else {
        visit_all(tree_.children(id));
    }
}

/// Whether an expression is a join's inputs, or one of them.
FunctionFlow::Role FunctionFlow::role_of(NodeId id, int depth) const {
    if (id == k_no_node || roles_.empty() || depth > k_max_role_depth) {
        return {};
    }
    const Node& it = tree_[id];
    switch (it.kind) {
        case Kind::name: {
            const auto found = roles_.find(it.text);
            return found == roles_.end() ? Role{} : found->second;
        }
        case Kind::attribute:
            if (const NodeId of = tree_.child(id, 0);
                tree_.is(of, Kind::name) && role_of(of, depth + 1).kind == Role::Kind::inputs) {
                return {Role::Kind::item, it.text};
            }
            return {};
        case Kind::subscript:
            if (role_of(tree_.child(id, 0), depth + 1).kind == Role::Kind::inputs) {
                return {tree_.is(tree_.child(id, 1), Kind::slice) ? Role::Kind::inputs : Role::Kind::item};
            }
            return {};
        case Kind::call:
            return role_of_call(id, depth);
        default:
            return {};
    }
}

FunctionFlow::Role FunctionFlow::role_of_call(NodeId id, int depth) const {
    const NodeId callee = tree_.child(id, 0);
    if (!tree_.is(callee, Kind::name)) {
        return {};
    }
    const std::string_view name = tree_[callee].text;
    const bool second = name == "filter" && tree_.children(id).size() > 2;
    const Role of = role_of(tree_.child(id, second ? 2 : 1), depth + 1);
    if (of.kind != Role::Kind::inputs) {
        return {};
    }
    if (name == "max" || name == "min" || name == "next") {
        return {Role::Kind::item};
    }
    const bool same = name == "list" || name == "tuple" || name == "sorted" || name == "reversed" ||
                      name == "iter" || name == "filter" || name == "set";
    return same ? of : Role{};
}

/// Reads an expression whose value stays in sight: what has a role is not passed on.
void FunctionFlow::consume(NodeId id) {
    if (role_of(id).kind == Role::Kind::none) {
        visit(id);
        return;
    }
    switch (tree_[id].kind) {
        case Kind::attribute:
            read_input(tree_[id].text, {}, names_.place(id));
            break;
        case Kind::subscript:
            consume(tree_.child(id, 0));
            visit(tree_.child(id, 1));
            break;
        case Kind::call:
            arguments(id);
            break;
        default:
            break;
    }
}

/// The target of `for … in iterable`.
void FunctionFlow::loop_target(NodeId id, NodeId iterable) {
    const Role of = role_of(iterable);
    if (of.kind == Role::Kind::inputs) {
        target(id, {Role::Kind::item});
        return;
    }
    const bool counted = tree_.is(iterable, Kind::call) && tree_.is(tree_.child(iterable, 0), Kind::name) &&
                         tree_.is(id, Kind::tuple);
    if (!counted) {
        target(id);
        return;
    }
    // enumerate(inputs), zip(inputs, others)
    const std::string_view function = tree_[tree_.child(iterable, 0)].text;
    const std::size_t shift = function == "enumerate" ? 0 : 1;
    for (std::size_t i = 0; i < tree_.children(id).size(); ++i) {
        const bool known = function == "zip" || (function == "enumerate" && i == 1);
        const Role role = known ? role_of(tree_.child(iterable, i + shift)) : Role{};
        target(tree_.child(id, i), role.kind == Role::Kind::inputs ? Role{Role::Kind::item} : Role{});
    }
}

}  // namespace amp::python
