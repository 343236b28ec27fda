#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

bool Parser::starts_expression() const {
    switch (kind()) {
        case TokenKind::name:
        case TokenKind::integer:
        case TokenKind::floating:
        case TokenKind::imaginary:
        case TokenKind::string:
        case TokenKind::fstring_start:
        case TokenKind::kw_false:
        case TokenKind::kw_none:
        case TokenKind::kw_true:
        case TokenKind::kw_await:
        case TokenKind::kw_lambda:
        case TokenKind::kw_not:
        case TokenKind::left_paren:
        case TokenKind::left_bracket:
        case TokenKind::left_brace:
        case TokenKind::ellipsis:
        case TokenKind::plus:
        case TokenKind::minus:
        case TokenKind::tilde:
            return true;
        default:
            return false;
    }
}

/// Between the elements of something in brackets: a comma, or its end, which is left.
void Parser::comma_or(TokenKind close) {
    if (accept(TokenKind::comma) || at(close)) {
        return;
    }
    const bool closed = !lexed_.open_bracket || tokens_[*lexed_.open_bracket].begin > begin();
    if (closed && starts_expression()) {
        fail("invalid syntax. Perhaps you forgot a comma?");
    }
    fail_syntax();
}

NodeId Parser::primary() {
    const std::uint32_t from = begin();
    NodeId value = atom();
    for (;;) {
        switch (kind()) {
            case TokenKind::dot: {
                ++position_;
                const std::string_view name = expect_name();
                value = add(Kind::attribute, from, {value}, {.text = name});
                break;
            }
            case TokenKind::left_paren:
                value = call(from, value);
                break;
            case TokenKind::left_bracket: {
                ++position_;
                const NodeId index = slices();
                comma_or(TokenKind::right_bracket);
                expect(TokenKind::right_bracket);
                value = add(Kind::subscript, from, {value, index});
                break;
            }
            default:
                return value;
        }
    }
}

NodeId Parser::call(std::uint32_t from, NodeId callee) {
    const std::uint32_t open = begin();
    ++position_;
    NodeIds children = {callee};
    arguments(children, open);
    return add(Kind::call, from, children);
}

/// Up to the closing parenthesis, and over it.
void Parser::arguments(NodeIds& out, std::uint32_t open_begin) {
    bool keywords = false;
    bool doubled = false;
    const std::size_t before = out.size();
    while (!at(TokenKind::right_paren)) {
        const std::uint32_t from = begin();
        const NodeId one = argument(open_begin, out.size() == before);
        out.push_back(one);
        if (node(one).kind == Kind::keyword) {
            keywords = true;
            doubled = doubled || node(one).text.empty();
        } else if (doubled && node(one).kind == Kind::starred) {
            fail_at(from, last_end(), "iterable argument unpacking follows keyword argument unpacking");
        } else if (keywords && node(one).kind != Kind::starred) {
            fail_at(from, last_end(),
                    doubled ? "positional argument follows keyword argument unpacking"
                            : "positional argument follows keyword argument");
        }
        comma_or(TokenKind::right_paren);
    }
    ++position_;
}

NodeId Parser::argument(std::uint32_t open_begin, bool first) {
    const std::uint32_t from = begin();
    if (accept(TokenKind::star)) {
        const NodeId value = expression();
        return add(Kind::starred, from, {value});
    }
    if (accept(TokenKind::double_star)) {
        const NodeId value = expression();
        return add(Kind::keyword, from, {value});
    }
    if (at(TokenKind::name) && kind(1) == TokenKind::assign) {
        const std::string_view name = expect_name();
        ++position_;
        if (at(TokenKind::comma) || at(TokenKind::right_paren)) {
            fail_at(from, last_end(), "expected argument value expression");
        }
        const NodeId value = expression();
        return add(Kind::keyword, from, {value}, {.text = name});
    }
    const NodeId value = named_expression();
    if (at_comprehension()) {
        NodeIds parts = {value};
        comprehensions(parts);
        if (!first || !at(TokenKind::right_paren)) {
            const bool trailing = first && at(TokenKind::comma) && kind(1) == TokenKind::right_paren;
            if (at(TokenKind::right_paren) || at(TokenKind::comma)) {
                fail_at(from, last_end(),
                        trailing ? "invalid syntax" : "Generator expression must be parenthesized");
            }
            fail_syntax();
        }
        const NodeId made = add(Kind::generator, open_begin, parts);
        tree_.edit(made).end = peek().end;
        return made;
    }
    if (at(TokenKind::assign)) {
        const Kind what = node(value).kind;
        if (what == Kind::true_ || what == Kind::false_ || what == Kind::none) {
            fail_at(value, fmt::format("cannot assign to {}", describe(node(value))));
        }
        fail_at(from, peek().end, "expression cannot contain assignment, perhaps you meant \"==\"?");
    }
    return value;
}

NodeId Parser::constant(Kind what) {
    const std::uint32_t from = begin();
    const std::string_view written = text();
    ++position_;
    return add(what, from, {}, {.text = written});
}

NodeId Parser::atom() {
    switch (kind()) {
        case TokenKind::name:
            return constant(Kind::name);
        case TokenKind::integer:
            return constant(Kind::integer);
        case TokenKind::floating:
            return constant(Kind::floating);
        case TokenKind::imaginary:
            return constant(Kind::imaginary);
        case TokenKind::kw_true:
            return constant(Kind::true_);
        case TokenKind::kw_false:
            return constant(Kind::false_);
        case TokenKind::kw_none:
            return constant(Kind::none);
        case TokenKind::ellipsis:
            return constant(Kind::ellipsis);
        case TokenKind::string:
        case TokenKind::fstring_start:
            return strings();
        case TokenKind::left_paren:
            return parenthesised();
        case TokenKind::left_bracket:
            return list_display();
        case TokenKind::left_brace:
            return brace_display();
        default:
            fail_syntax();
    }
}

bool Parser::at_comprehension() const {
    return at(TokenKind::kw_for) || (at(TokenKind::kw_async) && kind(1) == TokenKind::kw_for);
}

void Parser::comprehensions(NodeIds& out) {
    while (at_comprehension()) {
        const std::uint32_t from = begin();
        const bool async = accept(TokenKind::kw_async);
        ++position_;
        const NodeId target = targets();
        check_target(target, Use::loop);
        expect(TokenKind::kw_in);
        NodeIds parts = {target, disjunction()};
        while (accept(TokenKind::kw_if)) {
            const bool named = at(TokenKind::name) && kind(1) == TokenKind::walrus;
            parts.push_back(named ? named_expression() : disjunction());
        }
        out.push_back(add(Kind::comprehension, from, parts, {.flag = async}));
    }
}

/// A tuple, a generator, or something in parentheses, which keeps its own place.
NodeId Parser::parenthesised() {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    if (accept(TokenKind::right_paren)) {
        return add(Kind::tuple, from);
    }
    if (at(TokenKind::kw_yield)) {
        const NodeId value = yield_expression();
        expect(TokenKind::right_paren);
        return value;
    }
    NodeIds all = {star_expression(true)};
    if (at_comprehension()) {
        if (node(all.front()).kind == Kind::starred) {
            fail_at(all.front(), "iterable unpacking cannot be used in comprehension");
        }
        comprehensions(all);
        expect(TokenKind::right_paren);
        return add(Kind::generator, from, all);
    }
    const bool is_tuple = at(TokenKind::comma);
    comma_or(TokenKind::right_paren);
    while (!at(TokenKind::right_paren)) {
        all.push_back(star_expression(true));
        comma_or(TokenKind::right_paren);
    }
    ++position_;
    if (is_tuple) {
        return add(Kind::tuple, from, all);
    }
    if (node(all.front()).kind == Kind::starred) {
        fail_at(all.front(), "cannot use starred expression here");
    }
    return all.front();
}

NodeId Parser::list_display() {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    NodeIds all;
    while (!at(TokenKind::right_bracket)) {
        all.push_back(star_expression(true));
        if (all.size() == 1 && at_comprehension()) {
            if (node(all.front()).kind == Kind::starred) {
                fail_at(all.front(), "iterable unpacking cannot be used in comprehension");
            }
            comprehensions(all);
            expect(TokenKind::right_bracket);
            return add(Kind::list_comp, from, all);
        }
        comma_or(TokenKind::right_bracket);
    }
    ++position_;
    return add(Kind::list, from, all);
}

NodeId Parser::brace_display() {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    if (accept(TokenKind::right_brace)) {
        return add(Kind::dict, from);
    }
    if (accept(TokenKind::double_star)) {
        return dict_rest(from, k_no_node, binary(0));
    }
    const NodeId first = star_expression(true);
    if (accept(TokenKind::colon)) {
        return dict_rest(from, first, expression());
    }
    return set_rest(from, first);
}

NodeId Parser::dict_rest(std::uint32_t from, NodeId key, NodeId value) {
    NodeIds all = {key, value};
    if (at_comprehension()) {
        if (key == k_no_node) {
            fail("dict unpacking cannot be used in dict comprehension");
        }
        comprehensions(all);
        expect(TokenKind::right_brace);
        return add(Kind::dict_comp, from, all);
    }
    comma_or(TokenKind::right_brace);
    while (!at(TokenKind::right_brace)) {
        if (accept(TokenKind::double_star)) {
            all.push_back(k_no_node);
            all.push_back(binary(0));
        } else {
            all.push_back(expression());
            if (!accept(TokenKind::colon)) {
                const bool wrong = at(TokenKind::right_brace) || at(TokenKind::comma);
                wrong ? fail_at(last_end() - 1, last_end(), "':' expected after dictionary key")
                      : fail_syntax();
            }
            if (at(TokenKind::right_brace) || at(TokenKind::comma)) {
                fail_at(last_end() - 1, last_end(), "expression expected after dictionary key and ':'");
            }
            all.push_back(expression());
        }
        comma_or(TokenKind::right_brace);
    }
    ++position_;
    return add(Kind::dict, from, all);
}

NodeId Parser::set_rest(std::uint32_t from, NodeId first) {
    NodeIds all = {first};
    if (at_comprehension()) {
        comprehensions(all);
        expect(TokenKind::right_brace);
        return add(Kind::set_comp, from, all);
    }
    comma_or(TokenKind::right_brace);
    while (!at(TokenKind::right_brace)) {
        all.push_back(star_expression(true));
        comma_or(TokenKind::right_brace);
    }
    ++position_;
    return add(Kind::set, from, all);
}

}  // namespace amp::python
