#include "core/python/parser_state.hpp"

namespace amp::python {

NodeId Parser::import_statement() {
    const std::uint32_t from = begin();
    ++position_;
    NodeIds names;
    do {
        names.push_back(alias(true));
    } while (accept(TokenKind::comma));
    return add(Kind::import_, from, names);
}

NodeId Parser::from_statement() {
    const std::uint32_t from = begin();
    ++position_;
    std::uint32_t level = 0;
    for (;; ++position_) {
        if (at(TokenKind::dot)) {
            level += 1;
        } else if (at(TokenKind::ellipsis)) {
            level += 3;
        } else {
            break;
        }
    }
    const std::string_view module_name =
        level > 0 && at(TokenKind::kw_import) ? std::string_view() : dotted_name();
    expect(TokenKind::kw_import);
    NodeIds names;
    if (at(TokenKind::star)) {
        const std::uint32_t star = begin();
        ++position_;
        names.push_back(add(Kind::alias, star, {k_no_node}, {.text = "*"}));
    } else if (accept(TokenKind::left_paren)) {
        do {
            if (!names.empty() && at(TokenKind::right_paren)) {
                break;
            }
            names.push_back(alias(false));
        } while (accept(TokenKind::comma));
        expect(TokenKind::right_paren);
    } else {
        do {
            if (!names.empty() && at(TokenKind::newline)) {
                fail("trailing comma not allowed without surrounding parentheses");
            }
            names.push_back(alias(false));
        } while (accept(TokenKind::comma));
    }
    return add(Kind::import_from, from, names, {.text = module_name, .number = level});
}

NodeId Parser::alias(bool dotted) {
    const std::uint32_t from = begin();
    const std::string_view name = dotted ? dotted_name() : expect_name();
    NodeId other = k_no_node;
    if (accept(TokenKind::kw_as)) {
        const std::uint32_t as_begin = begin();
        const std::string_view as_name = expect_name();
        other = add(Kind::name, as_begin, {}, {.text = as_name});
    }
    return add(Kind::alias, from, {other}, {.text = name});
}

std::string_view Parser::dotted_name() {
    const std::uint32_t from = begin();
    expect_name();
    std::size_t length = last_end() - from;
    const std::size_t first = position_ - 1;
    while (at(TokenKind::dot)) {
        ++position_;
        length += 1 + text().size();
        expect_name();
    }
    if (length == last_end() - from) {
        return source_.slice(from, last_end());
    }
    std::string name;  // with spaces between
    for (std::size_t i = first; i < position_; ++i) {
        name.append(source_.slice(tokens_[i].begin, tokens_[i].end));
    }
    return tree_.keep(std::move(name));
}

}  // namespace amp::python
