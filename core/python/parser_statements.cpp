#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {
namespace {

Operator augmented_operator(TokenKind kind) {
    switch (kind) {
        case TokenKind::plus_assign:
            return Operator::add;
        case TokenKind::minus_assign:
            return Operator::subtract;
        case TokenKind::star_assign:
            return Operator::multiply;
        case TokenKind::slash_assign:
            return Operator::divide;
        case TokenKind::double_slash_assign:
            return Operator::floor_divide;
        case TokenKind::percent_assign:
            return Operator::modulo;
        case TokenKind::at_assign:
            return Operator::matrix_multiply;
        case TokenKind::double_star_assign:
            return Operator::power;
        case TokenKind::ampersand_assign:
            return Operator::bit_and;
        case TokenKind::bar_assign:
            return Operator::bit_or;
        case TokenKind::caret_assign:
            return Operator::bit_xor;
        case TokenKind::left_shift_assign:
            return Operator::left_shift;
        case TokenKind::right_shift_assign:
            return Operator::right_shift;
        default:
            return Operator::none;
    }
}

}  // namespace

NodeId Parser::module() {
    NodeIds statements;
    while (!at(TokenKind::end)) {
        statement(statements);
    }
    return add(Kind::module, 0, statements);
}

void Parser::statement(NodeIds& out) {
    switch (kind()) {
        case TokenKind::kw_if:
        case TokenKind::kw_while:
        case TokenKind::kw_for:
        case TokenKind::kw_with:
        case TokenKind::kw_try:
        case TokenKind::kw_def:
        case TokenKind::kw_class:
        case TokenKind::kw_async:
        case TokenKind::at:
            out.push_back(compound_statement());
            return;
        case TokenKind::newline:  // of an empty line behind a backslash
            ++position_;
            return;
        default:
            break;
    }
    if (at_match()) {
        out.push_back(match_statement());
        return;
    }
    simple_statements(out);
}

void Parser::simple_statements(NodeIds& out) {
    do {
        if (at(TokenKind::newline)) {
            break;
        }
        out.push_back(simple_statement());
    } while (accept(TokenKind::semicolon));
    if (accept(TokenKind::newline)) {
        return;
    }
    if (starts_expression()) {
        fail_python2_statement();
    }
    fail_syntax();
}

NodeId Parser::simple_statement() {
    const std::uint32_t from = begin();
    switch (kind()) {
        case TokenKind::kw_pass:
            ++position_;
            return add(Kind::pass, from);
        case TokenKind::kw_break:
            ++position_;
            return add(Kind::break_, from);
        case TokenKind::kw_continue:
            ++position_;
            return add(Kind::continue_, from);
        case TokenKind::kw_return:
            return return_statement();
        case TokenKind::kw_raise:
            return raise_statement();
        case TokenKind::kw_del:
            return delete_statement();
        case TokenKind::kw_assert:
            return assert_statement();
        case TokenKind::kw_global:
            return names_statement(Kind::global_);
        case TokenKind::kw_nonlocal:
            return names_statement(Kind::nonlocal_);
        case TokenKind::kw_import:
            return import_statement();
        case TokenKind::kw_from:
            return from_statement();
        default:
            return at_type_alias() ? type_alias() : expression_statement();
    }
}

NodeId Parser::return_statement() {
    const std::uint32_t from = begin();
    ++position_;
    const bool bare = at(TokenKind::newline) || at(TokenKind::semicolon);
    return bare ? add(Kind::return_, from) : add(Kind::return_, from, {star_expressions()});
}

NodeId Parser::raise_statement() {
    const std::uint32_t from = begin();
    ++position_;
    if (at(TokenKind::newline) || at(TokenKind::semicolon)) {
        return add(Kind::raise, from);
    }
    const NodeId exception = expression();
    const NodeId cause = accept(TokenKind::kw_from) ? expression() : k_no_node;
    return add(Kind::raise, from, {exception, cause});
}

NodeId Parser::delete_statement() {
    const std::uint32_t from = begin();
    ++position_;
    if (!starts_expression()) {
        fail_syntax();
    }
    NodeIds all;
    do {
        if (!all.empty() && !starts_expression()) {
            break;
        }
        all.push_back(binary(0));
        check_target(all.back(), Use::delete_);
    } while (accept(TokenKind::comma));
    return add(Kind::delete_, from, all);
}

NodeId Parser::assert_statement() {
    const std::uint32_t from = begin();
    ++position_;
    const NodeId test = expression();
    const NodeId message = accept(TokenKind::comma) ? expression() : k_no_node;
    return add(Kind::assert_, from, {test, message});
}

NodeId Parser::names_statement(Kind what) {
    const std::uint32_t from = begin();
    ++position_;
    NodeIds names;
    do {
        const std::uint32_t name_begin = begin();
        const std::string_view name = expect_name();
        names.push_back(add(Kind::name, name_begin, {}, {.text = name}));
    } while (accept(TokenKind::comma));
    return add(what, from, names);
}

/// `type` is a name but for `type X =` and `type X[…] =`.
bool Parser::at_type_alias() const {
    return at_word("type") && kind(1) == TokenKind::name &&
           (kind(2) == TokenKind::assign || kind(2) == TokenKind::left_bracket);
}

NodeId Parser::type_alias() {
    const std::uint32_t from = begin();
    ++position_;
    const std::string_view name = expect_name();
    const NodeId parameters_group = type_parameters();
    expect(TokenKind::assign);
    const NodeId value = expression();
    return add(Kind::type_alias, from, {parameters_group, value}, {.text = name});
}

NodeId Parser::expression_statement() {
    const std::uint32_t from = begin();
    const bool parenthesised_target = at(TokenKind::left_paren);
    const NodeId first = yield_or_star_expressions();
    if (at(TokenKind::assign)) {
        return assignment(from, first);
    }
    if (at(TokenKind::colon)) {
        return annotated(from, first, parenthesised_target);
    }
    if (const Operator op = augmented_operator(kind()); op != Operator::none) {
        return augmented(from, first, op);
    }
    return add(Kind::expression_statement, from, {first});
}

NodeId Parser::assignment(std::uint32_t from, NodeId first) {
    NodeIds children = {k_no_node, first};
    while (accept(TokenKind::assign)) {
        children.push_back(yield_or_star_expressions());
    }
    children.front() = children.back();
    children.pop_back();
    for (std::size_t i = 1; i < children.size(); ++i) {
        check_target(children[i], Use::assign);
    }
    return add(Kind::assign, from, children);
}

NodeId Parser::annotated(std::uint32_t from, NodeId target, bool parenthesised) {
    switch (node(target).kind) {
        case Kind::name:
        case Kind::attribute:
        case Kind::subscript:
            break;
        case Kind::list:
        case Kind::tuple:
            fail_at(target,
                    fmt::format("only single target (not {}) can be annotated", describe(node(target))));
        default:
            fail_at(target, "illegal target for annotation");
    }
    ++position_;
    const NodeId annotation = expression();
    const NodeId value = accept(TokenKind::assign) ? yield_or_star_expressions() : k_no_node;
    return add(Kind::ann_assign, from, {target, annotation, value},
               {.flag = node(target).kind == Kind::name && !parenthesised});
}

NodeId Parser::augmented(std::uint32_t from, NodeId target, Operator op) {
    check_target(target, Use::augment);
    ++position_;
    const NodeId value = yield_or_star_expressions();
    return add(Kind::aug_assign, from, {target, value}, {.op = op});
}

}  // namespace amp::python
