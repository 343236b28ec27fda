#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

/// The statements behind a colon, as a group. `what` and `line` are the head's, for the message.
NodeId Parser::block(std::string_view what, std::uint32_t line) {
    const Deeper deeper(*this);
    NodeIds statements;
    if (!accept(TokenKind::newline)) {
        simple_statements(statements);
        return group(statements);
    }
    if (!accept(TokenKind::indent)) {
        if (at(TokenKind::error)) {
            fail_syntax();
        }
        fail(fmt::format("expected an indented block after {} on line {}", what, line));
    }
    while (!at(TokenKind::dedent) && !at(TokenKind::end)) {
        if (at(TokenKind::indent)) {
            fail("unexpected indent");
        }
        statement(statements);
    }
    accept(TokenKind::dedent);
    return group(statements);
}

NodeId Parser::else_block() {
    const std::uint32_t line = source_.line_of(begin());
    if (!accept(TokenKind::kw_else)) {
        return group({});
    }
    expect_colon();
    return block("'else' statement", line);
}

NodeId Parser::compound_statement() {
    const std::uint32_t from = begin();
    switch (kind()) {
        case TokenKind::kw_if:
            return if_statement();
        case TokenKind::kw_while:
            return while_statement();
        case TokenKind::kw_for:
            return for_statement(from, false);
        case TokenKind::kw_with:
            return with_statement(from, false);
        case TokenKind::kw_try:
            return try_statement();
        case TokenKind::kw_def:
            return function(from, {}, false);
        case TokenKind::kw_class:
            return class_definition({});
        case TokenKind::kw_async:
            return async_statement();
        default:
            return decorated();
    }
}

NodeId Parser::async_statement() {
    const std::uint32_t from = begin();
    ++position_;
    switch (kind()) {
        case TokenKind::kw_def:
            return function(from, {}, true);
        case TokenKind::kw_for:
            return for_statement(from, true);
        case TokenKind::kw_with:
            return with_statement(from, true);
        default:
            fail_syntax();
    }
}

NodeId Parser::if_statement() {
    const std::uint32_t from = begin();
    NodeIds children = {k_no_node};
    do {
        children.push_back(branch());
    } while (at(TokenKind::kw_elif));
    children.front() = else_block();
    return add(Kind::if_, from, children);
}

NodeId Parser::branch() {
    const std::uint32_t from = begin();
    const std::string what = fmt::format("'{}' statement", text());
    ++position_;
    const NodeId test = named_expression();
    expect_colon();
    const NodeId body = block(what, source_.line_of(from));
    return add(Kind::branch, from, {test, body});
}

NodeId Parser::while_statement() {
    const std::uint32_t from = begin();
    ++position_;
    const NodeId test = named_expression();
    expect_colon();
    const NodeId body = block("'while' statement", source_.line_of(from));
    const NodeId otherwise = else_block();
    return add(Kind::while_, from, {test, body, otherwise});
}

NodeId Parser::for_statement(std::uint32_t from, bool async) {
    const std::uint32_t line = source_.line_of(begin());
    ++position_;
    const NodeId target = targets();
    check_target(target, Use::loop);
    expect(TokenKind::kw_in);
    const NodeId iterable = star_expressions();
    expect_colon();
    const NodeId body = block("'for' statement", line);
    const NodeId otherwise = else_block();
    return add(Kind::for_, from, {target, iterable, body, otherwise}, {.flag = async});
}

/// `with (a as b, c):` against `with (a, b) as c:` and `with (x for x in y):`. At the parenthesis behind
/// `with`.
bool Parser::with_is_parenthesised() const {
    if (!at(TokenKind::left_paren) || peek().closes_at == 0 ||
        tokens_[peek().closes_at + 1].kind != TokenKind::colon) {
        return false;
    }
    const std::size_t close = peek().closes_at;
    bool item_start = true;
    for (std::size_t i = position_ + 1; i < close; ++i) {
        const Token& token = tokens_[i];
        switch (token.kind) {
            case TokenKind::kw_as:
                return true;
            case TokenKind::walrus:
            case TokenKind::kw_for:
            case TokenKind::kw_async:
            case TokenKind::kw_yield:
                return false;
            case TokenKind::star:
                if (item_start) {
                    return false;
                }
                break;
            case TokenKind::kw_lambda:  // its parameters have commas and stars of their own
                while (i + 1 < close && tokens_[i].kind != TokenKind::colon) {
                    i = tokens_[i].closes_at > i ? tokens_[i].closes_at : i + 1;
                }
                break;
            default:
                break;
        }
        item_start = tokens_[i].kind == TokenKind::comma;
        if (tokens_[i].closes_at > i) {
            i = tokens_[i].closes_at;
        }
    }
    return close > position_ + 1;
}

NodeId Parser::with_statement(std::uint32_t from, bool async) {
    const std::uint32_t line = source_.line_of(begin());
    ++position_;
    NodeIds items;
    if (with_is_parenthesised()) {
        ++position_;
        do {
            if (!items.empty() && at(TokenKind::right_paren)) {
                break;
            }
            items.push_back(with_item());
        } while (accept(TokenKind::comma));
        expect(TokenKind::right_paren);
    } else {
        do {
            items.push_back(with_item());
        } while (accept(TokenKind::comma));
    }
    const NodeId all = group(items);
    expect_colon();
    const NodeId body = block("'with' statement", line);
    return add(Kind::with_, from, {all, body}, {.flag = async});
}

NodeId Parser::with_item() {
    const std::uint32_t from = begin();
    const NodeId context = expression();
    NodeId target = k_no_node;
    if (accept(TokenKind::kw_as)) {
        if (!starts_expression() && !at(TokenKind::star)) {
            fail_syntax();
        }
        target = binary(0);
        check_target(target, Use::loop);
    }
    return add(Kind::with_item, from, {context, target});
}

NodeId Parser::try_statement() {
    const std::uint32_t from = begin();
    const std::uint32_t line = source_.line_of(from);
    ++position_;
    expect_colon();
    const NodeId body = block("'try' statement", line);
    NodeIds handlers;
    bool star = false;
    while (at(TokenKind::kw_except)) {
        bool is_star = false;
        handlers.push_back(except_handler(is_star));
        if (handlers.size() > 1 && is_star != star) {
            fail_at(handlers.back(), "cannot have both 'except' and 'except*' on the same 'try'");
        }
        star = is_star;
    }
    const NodeId all = group(handlers);
    const NodeId otherwise = handlers.empty() ? group({}) : else_block();
    NodeId finally = group({});
    const std::uint32_t finally_line = source_.line_of(begin());
    if (accept(TokenKind::kw_finally)) {
        expect_colon();
        finally = block("'finally' statement", finally_line);
    } else if (handlers.empty()) {
        if (at(TokenKind::error)) {
            fail_syntax();
        }
        fail("expected 'except' or 'finally' block");
    }
    return add(Kind::try_, from, {body, all, otherwise, finally}, {.flag = star});
}

NodeId Parser::except_handler(bool& star) {
    const std::uint32_t from = begin();
    const std::uint32_t line = source_.line_of(from);
    ++position_;
    star = accept(TokenKind::star);
    NodeId type = k_no_node;
    std::string_view name;
    if (star && at(TokenKind::colon)) {
        fail("expected one or more exception types");
    }
    if (!at(TokenKind::colon)) {
        const std::uint32_t type_begin = begin();
        type = expression();
        if (at(TokenKind::comma)) {
            fail_at(type_begin, peek().end, "multiple exception types must be parenthesized",
                    "write 'except (A, B):', or 'except A as name:'");
        }
        if (accept(TokenKind::kw_as)) {
            name = expect_name();
        }
    }
    expect_colon();
    const NodeId body = block(star ? "'except*' statement" : "'except' statement", line);
    return add(Kind::except_handler, from, {type, body}, {.text = name});
}

}  // namespace amp::python
