#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

/// `match` is a name, but where its line ends with a colon and an indented `case` follows. Looked at once a
/// line.
bool Parser::at_match() const {
    if (!at_word("match")) {
        return false;
    }
    std::size_t i = position_ + 1;
    while (i < tokens_.size() && tokens_[i].kind != TokenKind::newline &&
           tokens_[i].kind != TokenKind::error && tokens_[i].kind != TokenKind::end) {
        i = tokens_[i].closes_at > i ? tokens_[i].closes_at : i + 1;
    }
    if (i + 2 >= tokens_.size() || tokens_[i].kind != TokenKind::newline ||
        tokens_[i - 1].kind != TokenKind::colon || i - 1 == position_ + 1) {
        return false;
    }
    const Token& next = tokens_[i + 2];
    return tokens_[i + 1].kind == TokenKind::indent && next.kind == TokenKind::name &&
           source_.slice(next.begin, next.end) == "case";
}

NodeId Parser::match_statement() {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    ++position_;
    const std::uint32_t subject_begin = begin();
    NodeIds subjects;
    bool is_tuple = false;
    do {
        if (!subjects.empty() && at(TokenKind::colon)) {
            break;
        }
        is_tuple = is_tuple || at(TokenKind::star);
        subjects.push_back(star_expression(true));
        is_tuple = is_tuple || at(TokenKind::comma);
    } while (accept(TokenKind::comma));
    NodeIds children = {is_tuple ? add(Kind::tuple, subject_begin, subjects) : subjects.front()};
    expect_colon();
    expect(TokenKind::newline);
    expect(TokenKind::indent);
    while (at_word("case")) {
        children.push_back(match_case());
    }
    if (!accept(TokenKind::dedent)) {
        fail_syntax();
    }
    return add(Kind::match, from, children);
}

NodeId Parser::match_case() {
    const std::uint32_t from = begin();
    ++position_;
    const NodeId pattern = open_pattern();
    const NodeId guard = accept(TokenKind::kw_if) ? named_expression() : k_no_node;
    expect_colon();
    const NodeId body = block("'case' statement", source_.line_of(from));
    return add(Kind::match_case, from, {pattern, guard, body});
}

/// Of a case: one pattern, or a sequence without brackets.
NodeId Parser::open_pattern() {
    const std::uint32_t from = begin();
    NodeIds all;
    bool sequence = false;
    do {
        if (!all.empty() && (at(TokenKind::colon) || at(TokenKind::kw_if))) {
            break;
        }
        sequence = sequence || at(TokenKind::star);
        all.push_back(star_pattern());
        sequence = sequence || at(TokenKind::comma);
    } while (accept(TokenKind::comma));
    if (!sequence) {
        return all.front();
    }
    if (all.size() == 1 && node(all.front()).kind == Kind::match_star &&
        source_.slice(last_end() - 1, last_end()) != ",") {
        fail_syntax();
    }
    return add(Kind::match_sequence, from, all);
}

NodeId Parser::star_pattern() {
    const std::uint32_t from = begin();
    if (!accept(TokenKind::star)) {
        return as_pattern();
    }
    const std::string_view name = expect_name();
    return add(Kind::match_star, from, {}, {.text = name == "_" ? std::string_view() : name});
}

NodeId Parser::as_pattern() {
    const Deeper deeper(*this);
    const std::uint32_t from = begin();
    const NodeId pattern = or_pattern();
    if (!accept(TokenKind::kw_as)) {
        return pattern;
    }
    if (at_word("_")) {
        fail("cannot use '_' as a target");
    }
    const std::string_view name = expect_name();
    return add(Kind::match_as, from, {pattern}, {.text = name});
}

NodeId Parser::or_pattern() {
    const std::uint32_t from = begin();
    NodeIds all;
    do {
        all.push_back(closed_pattern());
    } while (accept(TokenKind::bar));
    return all.size() == 1 ? all.front() : add(Kind::match_or, from, all);
}

NodeId Parser::closed_pattern() {
    const std::uint32_t from = begin();
    switch (kind()) {
        case TokenKind::minus:
        case TokenKind::integer:
        case TokenKind::floating:
        case TokenKind::imaginary:
        case TokenKind::string:
        case TokenKind::fstring_start:
            return literal_pattern();
        case TokenKind::kw_none:
        case TokenKind::kw_true:
        case TokenKind::kw_false: {
            const NodeId value = atom();
            return add(Kind::match_singleton, from, {value});
        }
        case TokenKind::name:
            return name_pattern();
        case TokenKind::left_paren:
        case TokenKind::left_bracket:
            return sequence_pattern();
        case TokenKind::left_brace:
            return mapping_pattern();
        default:
            fail_syntax();
    }
}

/// A number with its sign, a complex one (`1 - 2j`), or strings.
NodeId Parser::literal_pattern() {
    const std::uint32_t from = begin();
    if (at(TokenKind::string) || at(TokenKind::fstring_start)) {
        const NodeId value = strings();
        return add(Kind::match_value, from, {value});
    }
    const auto number = [&] {
        const std::uint32_t begin_number = begin();
        const bool negative = accept(TokenKind::minus);
        if (!at(TokenKind::integer) && !at(TokenKind::floating) && !at(TokenKind::imaginary)) {
            fail_syntax();
        }
        const NodeId value = atom();
        return negative ? add(Kind::unary, begin_number, {value}, {.op = Operator::negative}) : value;
    };
    NodeId value = number();
    if (at(TokenKind::plus) || at(TokenKind::minus)) {
        const Operator op = at(TokenKind::plus) ? Operator::add : Operator::subtract;
        ++position_;
        if (!at(TokenKind::imaginary)) {
            fail("imaginary number required in complex literal");
        }
        const NodeId imaginary = atom();
        value = add(Kind::binary, from, {value, imaginary}, {.op = op});
    }
    return add(Kind::match_value, from, {value});
}

/// A capture, `_`, a dotted name, or a class with arguments.
NodeId Parser::name_pattern() {
    const std::uint32_t from = begin();
    const std::string_view name = expect_name();
    if (!at(TokenKind::dot) && !at(TokenKind::left_paren)) {
        return add(Kind::match_as, from, {k_no_node}, {.text = name == "_" ? std::string_view() : name});
    }
    NodeId value = add(Kind::name, from, {}, {.text = name});
    while (accept(TokenKind::dot)) {
        const std::string_view attribute = expect_name();
        value = add(Kind::attribute, from, {value}, {.text = attribute});
    }
    return at(TokenKind::left_paren) ? class_pattern(from, value) : add(Kind::match_value, from, {value});
}

NodeId Parser::class_pattern(std::uint32_t from, NodeId callee) {
    NodeIds children = {callee};
    bool keywords = false;
    ++position_;
    while (!at(TokenKind::right_paren)) {
        const std::uint32_t argument_begin = begin();
        if (at(TokenKind::name) && kind(1) == TokenKind::assign) {
            const std::string_view name = expect_name();
            ++position_;
            const NodeId pattern = as_pattern();
            children.push_back(add(Kind::keyword, argument_begin, {pattern}, {.text = name}));
            keywords = true;
        } else {
            children.push_back(as_pattern());
            if (keywords) {
                fail_at(children.back(), "positional patterns follow keyword patterns");
            }
        }
        comma_or(TokenKind::right_paren);
    }
    ++position_;
    return add(Kind::match_class, from, children);
}

NodeId Parser::sequence_pattern() {
    const std::uint32_t from = begin();
    const TokenKind close = at(TokenKind::left_paren) ? TokenKind::right_paren : TokenKind::right_bracket;
    ++position_;
    NodeIds all;
    bool comma = false;
    while (!at(close)) {
        all.push_back(star_pattern());
        comma = comma || at(TokenKind::comma);
        comma_or(close);
    }
    ++position_;
    if (close == TokenKind::right_paren && all.size() == 1 && !comma) {
        if (node(all.front()).kind == Kind::match_star) {
            fail_at(all.front(), "invalid syntax");
        }
        return all.front();
    }
    return add(Kind::match_sequence, from, all);
}

NodeId Parser::mapping_pattern() {
    const std::uint32_t from = begin();
    ++position_;
    NodeIds children;
    std::string_view rest;
    while (!at(TokenKind::right_brace)) {
        if (!rest.empty()) {
            fail("double star pattern must be the last (right-most) subpattern in the mapping");
        }
        if (accept(TokenKind::double_star)) {
            rest = expect_name();
        } else {
            const NodeId key = closed_pattern();
            const bool usable =
                node(key).kind == Kind::match_value || node(key).kind == Kind::match_singleton;
            if (!usable) {
                fail_at(key, "mapping pattern keys may only match literals and attribute lookups");
            }
            expect(TokenKind::colon);
            children.push_back(tree_.child(key, 0));
            children.push_back(as_pattern());
        }
        comma_or(TokenKind::right_brace);
    }
    ++position_;
    return add(Kind::match_mapping, from, children, {.text = rest});
}

}  // namespace amp::python
