#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/expression.hpp"

namespace amp {

struct Function;

/// A node of a parsed expression. Chains of one precedence (`a + b - c`, `a and b and c`) are one node with
/// many operands, so that the tree is never deeper than the parentheses of the text.
struct ExpressionNode {
    enum class Kind {
        literal,      ///< `value`
        list,         ///< the operands
        object,       ///< the operands: key, value, key, value
        reference,    ///< `reference`, then `tail`
        postfix,      ///< operand 0, then `tail`
        negate,       ///< -
        invert,       ///< not
        arithmetic,   ///< the operands, with `operators` between them
        compare,      ///< operand 0, `operators[0]`, operand 1
        conjunction,  ///< and
        disjunction,  ///< or
        conditional,  ///< operand 0 if operand 1 else operand 2
        call,         ///< `function` of the operands
    };
    /// One access after a value: `access`, or the value of an operand as index or member.
    struct Step {
        Access access;
        std::optional<std::size_t> operand;
    };

    Kind kind = Kind::literal;
    Value value;
    std::vector<ExpressionNode> operands;
    std::vector<std::string> operators;
    Reference reference;
    std::vector<Step> tail;
    const Function* function = nullptr;
};

struct ParsedExpression {
    ExpressionNode root;
    std::vector<Expression::Use> uses;
    std::vector<std::string> failed_steps;
    bool cleanup = false;
    bool raw = false;
};

struct Expression::Tree : ParsedExpression {
    std::string text;
    Place place;
};

/// @throws Error(invalid)
Value evaluate(const ExpressionNode& root, const Scope& scope, const std::string& text);

}  // namespace amp
