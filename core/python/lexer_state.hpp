#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/python/lexer.hpp"

namespace amp::python {

/// The walk over the text, of which each file lexer*.cpp has a part. An f-string is text and code in turn:
/// the stack of open f-strings says which of them the walk is in.
class Lexer {
  public:
    explicit Lexer(const SourceText& source) : source_(source), text_(source.text()) {}
    LexedFile run();

  private:
    /// One `{` of an f-string that is open.
    struct Field {
        std::size_t brackets = 0;  ///< how many brackets are open in its expression
        bool in_spec = false;      ///< behind the `:`
    };
    struct FString {
        char quote = '"';
        std::size_t quotes = 1;
        bool raw = false;
        std::uint32_t begin = 0;
        std::vector<Field> fields = {};
    };
    struct Indent {
        std::uint32_t column = 0;      ///< tabs to multiples of 8
        std::uint32_t tab_is_one = 0;  ///< tabs as one column: both must agree
    };

    // Characters.
    char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
    char here() const { return at(pos_); }
    bool at_end() const { return pos_ >= text_.size(); }
    bool starts_with(std::string_view word) const { return text_.substr(pos_).starts_with(word); }
    /// The length of the line break here, 0 when there is none.
    std::uint32_t line_break(std::size_t offset) const;

    // Tokens.
    void emit(TokenKind kind, std::uint32_t begin, std::uint32_t end);
    [[noreturn]] void fail(std::uint32_t begin, std::uint32_t end, std::string message,
                           std::string hint = {});
    [[noreturn]] void fail_too_deep(std::uint32_t begin, std::string message);
    bool joined() const { return !brackets_.empty() || !fstrings_.empty(); }
    bool in_fstring_text() const;

    void finish();
    void skip_comment();
    void token();
    void line_end();
    void continuation();

    // lexer_lines.cpp
    void indentation();
    void apply_indentation(Indent indent, std::uint32_t line_begin);

    // lexer_words.cpp
    void word();
    void check_word(std::uint32_t begin, std::uint32_t end);
    void number();
    void prefixed_integer(std::string_view allowed, std::string_view name);
    bool digits(std::string_view allowed, std::string_view name);
    void end_of_number(std::uint32_t begin, std::string_view name);

    // lexer_operators.cpp
    void operator_token();
    void open_bracket(TokenKind kind);
    void close_bracket(TokenKind kind);
    std::pair<TokenKind, std::uint32_t> longest_operator() const;

    // lexer_strings.cpp
    void string(std::uint32_t begin);
    void fstring_text();
    bool fstring_ends();
    void close_fstring(std::uint32_t middle);
    /// Over `\` and what follows; true behind the opening brace of `\N{`.
    bool fstring_backslash(const FString& literal);
    void open_field();

    const SourceText& source_;
    std::string_view text_;
    std::uint32_t pos_ = 0;
    bool line_start_ = true;
    std::vector<Indent> indents_ = {Indent{}};
    std::vector<std::uint32_t> brackets_;  ///< indexes of tokens
    std::vector<FString> fstrings_;
    LexedFile out_;
};

/// Ends the walk; `lex` turns it into LexedFile::error.
struct LexerStop {
    SyntaxError error;
};

bool starts_word(char c);
bool continues_word(char c);

}  // namespace amp::python
