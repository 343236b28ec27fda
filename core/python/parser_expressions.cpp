#include "core/python/parser_state.hpp"

namespace amp::python {
namespace {

constexpr int k_product = 5;

struct Level {
    Operator op = Operator::none;
    int level = -1;  ///< binds tighter the higher; -1: no such operator
};

Level binary_operator(TokenKind kind) {
    switch (kind) {
        case TokenKind::bar:
            return {Operator::bit_or, 0};
        case TokenKind::caret:
            return {Operator::bit_xor, 1};
        case TokenKind::ampersand:
            return {Operator::bit_and, 2};
        case TokenKind::left_shift:
            return {Operator::left_shift, 3};
        case TokenKind::right_shift:
            return {Operator::right_shift, 3};
        case TokenKind::plus:
            return {Operator::add, 4};
        case TokenKind::minus:
            return {Operator::subtract, 4};
        case TokenKind::star:
            return {Operator::multiply, k_product};
        case TokenKind::slash:
            return {Operator::divide, k_product};
        case TokenKind::double_slash:
            return {Operator::floor_divide, k_product};
        case TokenKind::percent:
            return {Operator::modulo, k_product};
        case TokenKind::at:
            return {Operator::matrix_multiply, k_product};
        default:
            return {};
    }
}

}  // namespace

/// A lambda, `a if b else c`, or what binds tighter.
NodeId Parser::expression() {
    const Deeper deeper(*this);
    if (at(TokenKind::kw_lambda)) {
        return lambda();
    }
    const std::uint32_t from = begin();
    const NodeId body = disjunction();
    if (!at(TokenKind::kw_if)) {
        return body;
    }
    ++position_;
    const NodeId test = disjunction();
    if (!accept(TokenKind::kw_else)) {
        if (at(TokenKind::error)) {
            fail_syntax();
        }
        fail_at(from, last_end(), "expected 'else' after 'if' expression");
    }
    const NodeId otherwise = expression();
    return add(Kind::conditional, from, {test, body, otherwise});
}

NodeId Parser::named_expression() {
    if (at(TokenKind::name) && kind(1) == TokenKind::walrus) {
        const std::uint32_t from = begin();
        const std::string_view name = expect_name();
        const NodeId target = add(Kind::name, from, {}, {.text = name});
        ++position_;
        const NodeId value = expression();
        return add(Kind::named, from, {target, value});
    }
    const NodeId value = expression();
    if (at(TokenKind::walrus)) {
        fail_at(value, std::string("cannot use assignment expressions with ").append(describe(node(value))));
    }
    return value;
}

/// Of a display or subject `named` ones; elsewhere plain ones.
NodeId Parser::star_expression(bool named) {
    const std::uint32_t from = begin();
    if (accept(TokenKind::star)) {
        const NodeId value = binary(0);
        return add(Kind::starred, from, {value});
    }
    return named ? named_expression() : expression();
}

/// One, or a tuple without parentheses.
NodeId Parser::star_expressions() {
    const std::uint32_t from = begin();
    const NodeId first = star_expression(false);
    if (!at(TokenKind::comma)) {
        return first;
    }
    NodeIds all = {first};
    while (accept(TokenKind::comma)) {
        if (!starts_expression() && !at(TokenKind::star)) {
            break;
        }
        all.push_back(star_expression(false));
    }
    return add(Kind::tuple, from, all);
}

NodeId Parser::yield_or_star_expressions() {
    return at(TokenKind::kw_yield) ? yield_expression() : star_expressions();
}

NodeId Parser::yield_expression() {
    const std::uint32_t from = begin();
    ++position_;
    if (accept(TokenKind::kw_from)) {
        return add(Kind::yield_from, from, {expression()});
    }
    if (!starts_expression() && !at(TokenKind::star)) {
        return add(Kind::yield, from, {k_no_node});
    }
    return add(Kind::yield, from, {star_expressions()});
}

NodeId Parser::disjunction() {
    const std::uint32_t from = begin();
    const NodeId first = conjunction();
    if (!at(TokenKind::kw_or)) {
        return first;
    }
    NodeIds all = {first};
    while (accept(TokenKind::kw_or)) {
        all.push_back(conjunction());
    }
    return add(Kind::bool_op, from, all, {.op = Operator::or_});
}

NodeId Parser::conjunction() {
    const std::uint32_t from = begin();
    const NodeId first = inversion();
    if (!at(TokenKind::kw_and)) {
        return first;
    }
    NodeIds all = {first};
    while (accept(TokenKind::kw_and)) {
        all.push_back(inversion());
    }
    return add(Kind::bool_op, from, all, {.op = Operator::and_});
}

NodeId Parser::inversion() {
    if (!at(TokenKind::kw_not)) {
        return comparison();
    }
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    const NodeId operand = inversion();
    return add(Kind::unary, from, {operand}, {.op = Operator::not_});
}

bool Parser::comparison_operator(Operator& op) {
    std::size_t length = 1;
    switch (kind()) {
        case TokenKind::equal:
            op = Operator::equal;
            break;
        case TokenKind::not_equal:
            op = Operator::not_equal;
            break;
        case TokenKind::less:
            op = Operator::less;
            break;
        case TokenKind::less_equal:
            op = Operator::less_equal;
            break;
        case TokenKind::greater:
            op = Operator::greater;
            break;
        case TokenKind::greater_equal:
            op = Operator::greater_equal;
            break;
        case TokenKind::kw_in:
            op = Operator::in;
            break;
        case TokenKind::kw_is:
            length = kind(1) == TokenKind::kw_not ? 2 : 1;
            op = length == 2 ? Operator::is_not : Operator::is;
            break;
        case TokenKind::kw_not:
            if (kind(1) != TokenKind::kw_in) {
                return false;
            }
            length = 2;
            op = Operator::not_in;
            break;
        default:
            return false;
    }
    position_ += length;
    return true;
}

NodeId Parser::comparison() {
    const std::uint32_t from = begin();
    const NodeId left = binary(0);
    Operator op = Operator::none;
    std::uint32_t operator_begin = begin();
    if (!comparison_operator(op)) {
        return left;
    }
    NodeIds all = {left};
    do {
        const NodeId operand = binary(0);
        all.push_back(add(Kind::comparator, operator_begin, {operand}, {.op = op}));
        operator_begin = begin();
    } while (comparison_operator(op));
    return add(Kind::compare, from, all);
}

/// Operators that bind at least as tight as `lowest`, by climbing.
NodeId Parser::binary(int lowest) {
    const std::uint32_t from = begin();
    NodeId left = factor();
    for (;;) {
        const Level next = binary_operator(kind());
        if (next.level < lowest) {
            return left;
        }
        ++position_;
        const NodeId right = next.level == k_product ? factor() : binary(next.level + 1);
        left = add(Kind::binary, from, {left, right}, {.op = next.op});
    }
}

NodeId Parser::factor() {
    const Operator op = at(TokenKind::plus)    ? Operator::positive
                        : at(TokenKind::minus) ? Operator::negative
                        : at(TokenKind::tilde) ? Operator::invert
                                               : Operator::none;
    if (op == Operator::none) {
        return power();
    }
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    const NodeId operand = factor();
    return add(Kind::unary, from, {operand}, {.op = op});
}

NodeId Parser::power() {
    const std::uint32_t from = begin();
    NodeId base = k_no_node;
    if (accept(TokenKind::kw_await)) {
        const NodeId value = primary();
        base = add(Kind::await, from, {value});
    } else {
        base = primary();
    }
    if (!accept(TokenKind::double_star)) {
        return base;
    }
    const Deeper deeper(*this);
    const NodeId exponent = factor();
    return add(Kind::binary, from, {base, exponent}, {.op = Operator::power});
}

NodeId Parser::lambda() {
    const std::uint32_t from = begin();
    ++position_;
    const NodeId params = parameters(TokenKind::colon, false);
    expect_colon();
    const NodeId body = expression();
    return add(Kind::lambda, from, {params, body});
}

/// What stands in the brackets behind a value.
NodeId Parser::slices() {
    const std::uint32_t from = begin();
    NodeIds all;
    bool is_tuple = false;
    do {
        if (!all.empty() && at(TokenKind::right_bracket)) {
            break;
        }
        is_tuple = is_tuple || at(TokenKind::star);
        all.push_back(at(TokenKind::star) ? star_expression(true) : slice());
        is_tuple = is_tuple || at(TokenKind::comma);
    } while (accept(TokenKind::comma));
    return is_tuple ? add(Kind::tuple, from, all) : all.front();
}

NodeId Parser::slice() {
    const std::uint32_t from = begin();
    const auto bound = [&] {
        const bool none = at(TokenKind::colon) || at(TokenKind::comma) || at(TokenKind::right_bracket);
        return none ? k_no_node : expression();
    };
    NodeId lower = k_no_node;
    if (!at(TokenKind::colon)) {
        lower = named_expression();
        if (!at(TokenKind::colon)) {
            return lower;
        }
    }
    ++position_;
    const NodeId upper = bound();
    const NodeId step = accept(TokenKind::colon) ? bound() : k_no_node;
    return add(Kind::slice, from, {lower, upper, step});
}

}  // namespace amp::python
