#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

void Parser::fail_at(std::uint32_t begin, std::uint32_t end, std::string message, std::string hint) {
    throw ParserStop{{"AMP3001", std::move(message), begin, end, std::move(hint)}};
}

void Parser::fail_at(NodeId id, std::string message, std::string hint) {
    fail_at(node(id).begin, node(id).end, std::move(message), std::move(hint));
}

void Parser::fail(std::string message, std::string hint) {
    fail_at(peek().begin, peek().end, std::move(message), std::move(hint));
}

void Parser::fail_too_deep() {
    throw ParserStop{{"AMP3003", "too deeply nested to be read", peek().begin, peek().end,
                      "name parts of it, or load it from a file"}};
}

/// What stands here fits nowhere. What the lexer could not read, or a bracket that nobody closes, tells more.
void Parser::fail_syntax() {
    if (at(TokenKind::error)) {
        throw ParserStop{*lexed_.error};
    }
    if (lexed_.open_bracket && tokens_[*lexed_.open_bracket].begin < begin()) {
        const Token& open = tokens_[*lexed_.open_bracket];
        fail_at(open.begin, open.end,
                fmt::format("'{}' was never closed", source_.slice(open.begin, open.end)));
    }
    if (at(TokenKind::indent)) {
        fail("unexpected indent");
    }
    if (at(TokenKind::dedent)) {
        fail("unexpected unindent");
    }
    if (is_keyword(kind())) {
        fail("invalid syntax", fmt::format("'{}' is a word of Python, and can be no name", text()));
    }
    fail("invalid syntax");
}

/// After an expression that another one follows: `print x`, `exec x`.
void Parser::fail_python2_statement() {
    if (position_ == 0) {
        return;
    }
    const Token& before = tokens_[position_ - 1];
    const std::string_view word = source_.slice(before.begin, before.end);
    if (before.kind == TokenKind::name && (word == "print" || word == "exec")) {
        fail_at(before.begin, last_end(),
                fmt::format("Missing parentheses in call to '{}'. Did you mean {}(...)?", word, word));
    }
}

std::string_view describe(const Node& node) {
    switch (node.kind) {
        case Kind::attribute:
            return "attribute";
        case Kind::subscript:
            return "subscript";
        case Kind::starred:
            return "starred";
        case Kind::name:
            return "name";
        case Kind::list:
            return "list";
        case Kind::tuple:
            return "tuple";
        case Kind::lambda:
            return "lambda";
        case Kind::call:
            return "function call";
        case Kind::bool_op:
        case Kind::binary:
        case Kind::unary:
            return "expression";
        case Kind::generator:
            return "generator expression";
        case Kind::yield:
        case Kind::yield_from:
            return "yield expression";
        case Kind::await:
            return "await expression";
        case Kind::list_comp:
            return "list comprehension";
        case Kind::set_comp:
            return "set comprehension";
        case Kind::dict_comp:
            return "dict comprehension";
        case Kind::dict:
            return "dict literal";
        case Kind::set:
            return "set display";
        case Kind::joined_string:
            return "f-string expression";
        case Kind::none:
            return "None";
        case Kind::true_:
            return "True";
        case Kind::false_:
            return "False";
        case Kind::ellipsis:
            return "ellipsis";
        case Kind::compare:
            return "comparison";
        case Kind::conditional:
            return "conditional expression";
        case Kind::named:
            return "named expression";
        default:
            return "literal";
    }
}

}  // namespace amp::python
