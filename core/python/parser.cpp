#include "core/python/parser.hpp"

#include <fmt/format.h>

#include "core/python/parser_state.hpp"

namespace amp::python {

ParsedFile parse(const SourceText& source) {
    ParsedFile file;
    const LexedFile lexed = lex(source);
    try {
        Parser(source, lexed, file.tree).run();
    } catch (ParserStop& stop) {
        file.tree = Tree();
        file.error = std::move(stop.error);
    }
    return file;
}

void Parser::run() {
    tree_.set_root(module());
}

const Token& Parser::peek(std::size_t ahead) const {
    const std::size_t index = position_ + ahead;
    return index < tokens_.size() ? tokens_[index] : tokens_.back();
}

std::string_view Parser::text(std::size_t ahead) const {
    const Token& token = peek(ahead);
    return source_.slice(token.begin, token.end);
}

std::uint32_t Parser::last_end() const {
    std::size_t i = position_;
    while (i > 0 && (tokens_[i - 1].kind == TokenKind::newline || tokens_[i - 1].kind == TokenKind::indent ||
                     tokens_[i - 1].kind == TokenKind::dedent)) {
        --i;
    }
    return i == 0 ? 0 : tokens_[i - 1].end;
}

bool Parser::accept(TokenKind wanted) {
    if (!at(wanted)) {
        return false;
    }
    ++position_;
    return true;
}

void Parser::expect(TokenKind wanted) {
    if (!accept(wanted)) {
        fail_syntax();
    }
}

void Parser::expect_colon() {
    if (accept(TokenKind::colon)) {
        return;
    }
    if (at(TokenKind::assign)) {
        fail("invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
    }
    if (at(TokenKind::error)) {
        fail_syntax();
    }
    if (at(TokenKind::newline)) {
        fail_at(last_end(), last_end() + 1, "expected ':'");
    }
    if (lexed_.open_bracket && tokens_[*lexed_.open_bracket].begin < begin()) {
        fail_syntax();
    }
    fail(starts_expression() ? "invalid syntax" : "expected ':'");
}

std::string_view Parser::expect_name() {
    const std::string_view name = text();
    expect(TokenKind::name);
    return name;
}

NodeId Parser::add(Kind kind, std::uint32_t begin, std::span<const NodeId> children, Extra extra) {
    Node made;
    made.kind = kind;
    made.op = extra.op;
    made.flag = extra.flag;
    made.number = extra.number;
    made.begin = begin;
    made.end = std::max(begin, last_end());
    made.text = extra.text;
    const NodeId id = tree_.add(made, children);
    if (tree_[id].depth > k_max_tree) {
        fail_too_deep();
    }
    return id;
}

}  // namespace amp::python
