#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/expression_tree.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

using Node = ExpressionNode;

/// What does not exist: default() and exists() catch it, for everybody else it is an error like any other.
class Missing : public Error {
  public:
    explicit Missing(std::string message, std::string hint = {})
        : Error(ExitCode::invalid, std::move(message), {}, std::move(hint)) {}
};

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(ExitCode::invalid, std::move(message), {}, std::move(hint));
}

std::string path_text(std::span<const Access> path) {
    return Reference{{}, {path.begin(), path.end()}, false, {}}.text();
}

/// Why `path` leads nowhere from `value`.
Missing nothing_at(const Value& value, std::span<const Access> path) {
    const Value* here = &value;
    for (const Access& access : path) {
        if (access.kind == Access::Kind::star) {
            break;
        }
        if (access.kind == Access::Kind::member && here->is_object()) {
            if (const Value* member = here->find(access.name)) {
                here = member;
                continue;
            }
            std::vector<std::string> names;
            for (const auto& entry : here->as_object()) {
                names.push_back(entry.first);
            }
            const auto near = did_you_mean(access.name, names);
            return Missing(fmt::format("there is no member '{}'", access.name),
                           near ? fmt::format("did you mean '{}'?", *near) : "");
        }
        if (access.kind == Access::Kind::index && here->is_list()) {
            const auto size = static_cast<std::int64_t>(here->as_list().size());
            const std::int64_t index = access.index < 0 ? access.index + size : access.index;
            if (index < 0 || index >= size) {
                return Missing(fmt::format("a list of {} has no entry [{}]", size, access.index));
            }
            here = &here->as_list()[static_cast<std::size_t>(index)];
            continue;
        }
        break;
    }
    return Missing(fmt::format("{} {} has no '{}'", here->is_object() || here->is_int() ? "an" : "a",
                               here->type_name(), path_text(path)));
}

class Evaluator {
  public:
    explicit Evaluator(const Scope& scope) : scope_(scope) {}

    Value evaluate(const Node& node) {
        ++nodes_;
        switch (node.kind) {
            case Node::Kind::literal:
                return node.value;
            case Node::Kind::list:
                return list(node);
            case Node::Kind::object:
                return object(node);
            case Node::Kind::reference:
                return reference(node);
            case Node::Kind::postfix:
                return postfix(node);
            case Node::Kind::negate:
                return arithmetic(0, "-", number(evaluate(node.operands[0])), budget_);
            case Node::Kind::invert:
                return !truthy(evaluate(node.operands[0]));
            case Node::Kind::arithmetic:
                return sum(node);
            case Node::Kind::compare:
                return compare(node);
            case Node::Kind::conjunction:
                return decide(node, false);
            case Node::Kind::disjunction:
                return decide(node, true);
            case Node::Kind::conditional:
                return evaluate(node.operands[truthy(evaluate(node.operands[1])) ? 0 : 2]);
            case Node::Kind::call:
                return call(node);
        }
        return {};
    }

    Budget& budget() { return budget_; }
    std::size_t steps() const { return nodes_ + budget_.used(); }

  private:
    static Value number(Value value) {
        if (!value.is_number()) {
            refuse(fmt::format("'-' needs a number, not {}", value.type_name()));
        }
        return value;
    }

    Value list(const Node& node) {
        List out;
        out.reserve(node.operands.size());
        for (const Node& operand : node.operands) {
            out.push_back(evaluate(operand));
        }
        budget_.elements(out.size());
        return out;
    }

    Value object(const Node& node) {
        Object out;
        for (std::size_t i = 0; i + 1 < node.operands.size(); i += 2) {
            const Value key = evaluate(node.operands[i]);
            if (!key.is_string()) {
                refuse(fmt::format("the key of an object must be a string, not {}", key.type_name()));
            }
            out.insert_or_assign(key.as_string(), evaluate(node.operands[i + 1]));
        }
        budget_.elements(out.size());
        return out;
    }

    /// The tail as plain accesses, its indices evaluated.
    std::vector<Access> accesses(const Node& node) {
        std::vector<Access> out;
        for (const Node::Step& step : node.tail) {
            out.push_back(step.operand ? access(evaluate(node.operands[*step.operand])) : step.access);
        }
        return out;
    }

    static Access access(const Value& index) {
        if (index.is_int()) {
            return {Access::Kind::index, {}, index.as_int()};
        }
        if (index.is_string()) {
            return {Access::Kind::member, index.as_string(), 0};
        }
        refuse(fmt::format("an index must be int or string, not {}", index.type_name()));
    }

    Value reference(const Node& node) {
        const Reference& written = node.reference;
        const std::optional<Value> found = scope_.resolve(written.root, written.path);
        if (!found) {
            throw Missing(fmt::format("'{}' does not exist", written.text()));
        }
        if (node.tail.empty()) {
            return *found;
        }
        const auto stars = std::count_if(written.path.begin(), written.path.end(),
                                         [](const Access& a) { return a.kind == Access::Kind::star; });
        const std::vector<Access> tail = accesses(node);
        return stars > 0 ? below_stars(*found, stars, tail) : follow(*found, tail);
    }

    /// What follows a star is applied to each entry.
    Value below_stars(const Value& value, std::ptrdiff_t depth, std::span<const Access> tail) {
        if (!value.is_list()) {
            return follow(value, tail);
        }
        List out;
        for (const Value& entry : value.as_list()) {
            if (depth > 1) {
                out.push_back(below_stars(entry, depth - 1, tail));
            } else if (auto found = apply_path(entry, tail)) {
                out.push_back(std::move(*found));
            }
        }
        budget_.elements(value.as_list().size());
        return out;
    }

    Value postfix(const Node& node) { return follow(evaluate(node.operands[0]), accesses(node)); }

    Value follow(const Value& value, std::span<const Access> path) {
        const auto star = std::find_if(path.begin(), path.end(),
                                       [](const Access& a) { return a.kind == Access::Kind::star; });
        if (star != path.end()) {
            budget_.whole(value);
        }
        if (auto found = apply_path(value, path)) {
            return std::move(*found);
        }
        throw nothing_at(value, path);
    }

    Value sum(const Node& node) {
        Value out = evaluate(node.operands[0]);
        for (std::size_t i = 0; i < node.operators.size(); ++i) {
            out = arithmetic(out, node.operators[i], evaluate(node.operands[i + 1]), budget_);
        }
        return out;
    }

    Value compare(const Node& node) {
        const Value left = evaluate(node.operands[0]);
        const Value right = evaluate(node.operands[1]);
        const std::string& op = node.operators[0];
        budget_.whole(right);
        if (op == "in" || op == "not in") {
            return contains(right, left) == (op == "in");
        }
        if (op == "==" || op == "!=") {
            return (left == right) == (op == "==");
        }
        budget_.whole(left);
        const int order = compare_values(left, right);
        return op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
    }

    static bool contains(const Value& container, const Value& value) {
        if (container.is_list()) {
            const List& list = container.as_list();
            return std::find(list.begin(), list.end(), value) != list.end();
        }
        if (!value.is_string() || !(container.is_object() || container.is_string())) {
            refuse(fmt::format("'in' cannot look for {} in {}", value.type_name(), container.type_name()),
                   "right of `in` stands a list, an object or a string");
        }
        return container.is_object() ? container.find(value.as_string()) != nullptr
                                     : container.as_string().find(value.as_string()) != std::string::npos;
    }

    /// `and` and `or`: the first operand that decides, else the last, as in Python.
    Value decide(const Node& node, bool until) {
        for (std::size_t i = 0; i + 1 < node.operands.size(); ++i) {
            Value value = evaluate(node.operands[i]);
            if (truthy(value) == until) {
                return value;
            }
        }
        return evaluate(node.operands.back());
    }

    Value call(const Node& node) {
        const Function& function = *node.function;
        if (function.kind == Function::Kind::first_existing) {
            return first_existing(node);
        }
        if (function.kind == Function::Kind::all_exist) {
            return all_exist(node);
        }
        List arguments;
        arguments.reserve(node.operands.size());
        for (const Node& operand : node.operands) {
            arguments.push_back(evaluate(operand));
        }
        CallContext context{scope_, budget_};
        return function.call(arguments, context);
    }

    Value first_existing(const Node& node) {
        for (const Node& operand : node.operands) {
            try {
                return evaluate(operand);
            } catch (const Missing&) {
                continue;
            }
        }
        throw Missing("nothing that default() names exists",
                      "give it a last argument that always exists: a literal");
    }

    Value all_exist(const Node& node) {
        try {
            for (const Node& operand : node.operands) {
                evaluate(operand);
            }
            return true;
        } catch (const Missing&) {
            return false;
        }
    }

    const Scope& scope_;
    Budget budget_;
    std::size_t nodes_ = 0;
};

}  // namespace

Value evaluate(const ExpressionNode& root, const Scope& scope, const std::string& text) {
    Evaluator evaluator(scope);
    try {
        Value out = evaluator.evaluate(root);
        if (root.kind != ExpressionNode::Kind::reference) {
            evaluator.budget().whole(out);
        }
        scope.worked(evaluator.steps());
        return out;
    } catch (const Error& error) {
        scope.worked(evaluator.steps());
        if (!error.where().empty()) {
            throw;
        }
        throw Error(error.code(), error.message(), text, error.hint());
    }
}

}  // namespace amp
