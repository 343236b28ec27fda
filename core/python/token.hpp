#pragma once

#include <cstdint>
#include <string_view>

namespace amp::python {

enum class TokenKind : std::uint8_t {
    end,
    error,  ///< the lexer could not go on: LexedFile::error says why
    newline,
    indent,
    dedent,
    name,  ///< the soft keywords match, case, type and _ too
    integer,
    floating,
    imaginary,
    string,         ///< with prefix and quotes, of any kind but f-strings
    fstring_start,  ///< prefix and quotes
    fstring_middle,
    fstring_end,
    // Keywords.
    kw_false,
    kw_none,
    kw_true,
    kw_and,
    kw_as,
    kw_assert,
    kw_async,
    kw_await,
    kw_break,
    kw_class,
    kw_continue,
    kw_def,
    kw_del,
    kw_elif,
    kw_else,
    kw_except,
    kw_finally,
    kw_for,
    kw_from,
    kw_global,
    kw_if,
    kw_import,
    kw_in,
    kw_is,
    kw_lambda,
    kw_nonlocal,
    kw_not,
    kw_or,
    kw_pass,
    kw_raise,
    kw_return,
    kw_try,
    kw_while,
    kw_with,
    kw_yield,
    // Operators and delimiters.
    left_paren,
    right_paren,
    left_bracket,
    right_bracket,
    left_brace,
    right_brace,
    comma,
    colon,
    semicolon,
    dot,
    ellipsis,
    arrow,
    walrus,
    exclamation,  ///< in f-strings alone
    assign,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    plus,
    minus,
    star,
    slash,
    double_slash,
    percent,
    at,
    double_star,
    ampersand,
    bar,
    caret,
    tilde,
    left_shift,
    right_shift,
    plus_assign,
    minus_assign,
    star_assign,
    slash_assign,
    double_slash_assign,
    percent_assign,
    at_assign,
    double_star_assign,
    ampersand_assign,
    bar_assign,
    caret_assign,
    left_shift_assign,
    right_shift_assign,
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::uint32_t begin = 0;  ///< bytes from the start of the file
    std::uint32_t end = 0;
    std::uint32_t closes_at = 0;  ///< of an opening bracket: the index of the token that closes it
};

/// The keyword that `word` is, else TokenKind::name.
TokenKind keyword_kind(std::string_view word);
inline bool is_keyword(TokenKind kind) {
    return kind >= TokenKind::kw_false && kind <= TokenKind::kw_yield;
}

}  // namespace amp::python
