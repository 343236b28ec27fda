#include <algorithm>
#include <array>

#include "core/python/function_flow.hpp"

namespace amp::python {
namespace {

// What FlowSpec itself has.
constexpr auto k_own = std::to_array<std::string_view>(
    {"next", "input", "index", "foreach_stack", "merge_artifacts", "name", "script_name", "cmd"});

}  // namespace

bool FunctionFlow::is_self(NodeId id) const {
    return tree_.is(id, Kind::name) && tree_[id].text == self_ && !self_.empty();
}

bool FunctionFlow::shadows_self(NodeId parameters) const {
    const auto all = tree_.children(parameters);
    return std::any_of(all.begin(), all.end(), [&](NodeId one) { return tree_[one].text == self_; });
}

void FunctionFlow::visit_all(std::span<const NodeId> ids) {
    for (const NodeId id : ids) {
        visit(id);
    }
}

void FunctionFlow::visit(NodeId id) {
    if (id == k_no_node) {
        return;
    }
    switch (tree_[id].kind) {
        case Kind::name:
            name(id);
            return;
        case Kind::attribute:
            attribute(id);
            return;
        case Kind::subscript:
            if (role_of(tree_.child(id, 0)).kind != Role::Kind::none) {
                consume(id);
                escape_inputs(id);
                return;
            }
            break;
        case Kind::call:
            call(id);
            return;
        case Kind::lambda:
            lambda(id, {});
            return;
        case Kind::list_comp:
        case Kind::set_comp:
        case Kind::generator:
        case Kind::dict_comp:
            comprehension(id);
            return;
        case Kind::named:
            target_from(tree_.child(id, 0), tree_.child(id, 1));
            return;
        case Kind::conditional:
        case Kind::bool_op:
            visit(tree_.child(id, 0));
            ++branches_;
            visit_all(tree_.children(id).subspan(1));
            --branches_;
            return;
        default:
            break;
    }
    visit_all(tree_.children(id));
}

void FunctionFlow::name(NodeId id) {
    if (is_self(id)) {
        escape_self(id, "'" + std::string(self_) +
                            "' is passed on as a whole, so what is done to it is known only when it runs");
    } else if (role_of(id).kind != Role::Kind::none) {
        escape_inputs(id);
    }
}

void FunctionFlow::attribute(NodeId id) {
    const NodeId of = tree_.child(id, 0);
    const std::string_view text = tree_[id].text;
    if (is_self(of)) {
        read(text, id);
        return;
    }
    const Role role = role_of(of);
    if (role.kind == Role::Kind::item) {
        if (!tree_.is(of, Kind::attribute)) {
            consume(of);
        }
        read_input(role.step, text, names_.place(id));
    } else if (role.kind == Role::Kind::inputs) {  // inputs.STEP alone
        consume(of);
        read_input(text, {}, names_.place(id));
        escape_inputs(id);
    } else {
        visit(of);
    }
}

/// `self.NAME`: an artifact, or something that the class has.
void FunctionFlow::read(std::string_view text, NodeId at) {
    if (text == "input" || text == "index") {
        std::optional<Place>& seen = text == "input" ? out_.input : out_.index;
        seen = seen ? seen : names_.place(at);
        return;
    }
    if (text == "__dict__") {
        escape_self(at, names_.quoted(at) + " shows all artifacts at once");
        return;
    }
    if (std::find(k_own.begin(), k_own.end(), text) != k_own.end() ||
        (text.starts_with("__") && text.ends_with("__"))) {
        return;
    }
    const Methods::Found found = methods_.find(text);
    if (found.member == nullptr) {
        read_artifact(text, names_.place(text));
        return;
    }
    const NodeId node = found.member->node;
    if (!tree_.is(node, Kind::function_def)) {
        return;  // a parameter or constant
    }
    if (methods_.has_decorator(node, "property") || methods_.has_decorator(node, "cached_property")) {
        apply_method(found, 0);
    } else if (!methods_.has_decorator(node, "staticmethod") &&
               !methods_.has_decorator(node, "classmethod")) {
        // A method that is handed to somebody, who may call it.
        ++nested_;
        ++branches_;
        apply_method(found, 0);
        --branches_;
        --nested_;
    }
}

void FunctionFlow::comprehension(NodeId id) {
    const std::size_t elements = tree_[id].kind == Kind::dict_comp ? 2 : 1;
    const auto parts = tree_.children(id);
    const std::size_t outer = role_log_.size();  // its names are its own
    bool first = true;
    for (const NodeId part : parts.subspan(elements)) {
        const NodeId iterable = tree_.child(part, 1);
        consume(iterable);
        branches_ += first ? 1 : 0;
        first = false;
        ++nested_;  // `for self.x in` is possible, and nobody's habit
        loop_target(tree_.child(part, 0), iterable);
        --nested_;
        visit_all(tree_.children(part).subspan(2));
    }
    visit_all(parts.subspan(0, elements));
    --branches_;
    restore_roles(outer);
}

/// `first` is the role of its first parameter.
void FunctionFlow::lambda(NodeId id, Role first) {
    const NodeId parameters = tree_.child(id, 0);
    for (const NodeId parameter : tree_.children(parameters)) {
        visit(tree_.child(parameter, 1));
    }
    if (shadows_self(parameters)) {
        return;
    }
    const std::size_t outer = role_log_.size();
    bool is_first = true;
    for (const NodeId parameter : tree_.children(parameters)) {
        bind_role(tree_[parameter].text, is_first ? first : Role{});
        is_first = false;
    }
    ++nested_;
    visit(tree_.child(id, 1));
    --nested_;
    restore_roles(outer);
}

}  // namespace amp::python
