#include "core/python/lexer.hpp"

#include <fmt/format.h>

#include "core/python/lexer_state.hpp"

namespace amp::python {

LexedFile lex(const SourceText& source) {
    return Lexer(source).run();
}

LexedFile Lexer::run() {
    if (text_.starts_with("\xef\xbb\xbf")) {
        pos_ = 3;
    }
    out_.tokens.reserve(text_.size() / 4 + 8);
    try {
        while (!at_end()) {
            if (in_fstring_text()) {
                fstring_text();
            } else if (line_start_ && !joined()) {
                indentation();
            } else {
                token();
            }
        }
        finish();
    } catch (LexerStop& stop) {
        out_.tokens.push_back({TokenKind::error, stop.error.begin, stop.error.end, 0});
        out_.error = std::move(stop.error);
    }
    if (!brackets_.empty()) {
        out_.open_bracket = brackets_.back();
    }
    return std::move(out_);
}

void Lexer::finish() {
    if (!fstrings_.empty()) {
        const FString& open = fstrings_.back();
        const std::uint32_t last_line = source_.line_of(source_.size());
        fail(open.begin, open.begin + 1,
             open.quotes == 3
                 ? fmt::format("unterminated triple-quoted f-string literal (detected at line {})", last_line)
                 : fmt::format("unterminated f-string literal (detected at line {})", last_line));
    }
    const std::uint32_t end = source_.size();
    if (!brackets_.empty()) {
        const Token& open = out_.tokens[brackets_.back()];
        fail(open.begin, open.end, fmt::format("'{}' was never closed", text_[open.begin]));
    }
    if (!out_.tokens.empty() && out_.tokens.back().kind != TokenKind::newline &&
        out_.tokens.back().kind != TokenKind::dedent) {
        emit(TokenKind::newline, end, end);
    }
    for (; indents_.size() > 1; indents_.pop_back()) {
        emit(TokenKind::dedent, end, end);
    }
    emit(TokenKind::end, end, end);
}

std::uint32_t Lexer::line_break(std::size_t offset) const {
    const char c = at(offset);
    if (c == '\n') {
        return 1;
    }
    if (c == '\r') {
        return at(offset + 1) == '\n' ? 2 : 1;
    }
    return 0;
}

void Lexer::emit(TokenKind kind, std::uint32_t begin, std::uint32_t end) {
    out_.tokens.push_back({kind, begin, end, 0});
}

void Lexer::fail(std::uint32_t begin, std::uint32_t end, std::string message, std::string hint) {
    throw LexerStop{{"AMP3001", std::move(message), begin, end, std::move(hint)}};
}

void Lexer::fail_too_deep(std::uint32_t begin, std::string message) {
    throw LexerStop{{"AMP3003", std::move(message), begin, begin + 1, {}}};
}

bool Lexer::in_fstring_text() const {
    return !fstrings_.empty() && (fstrings_.back().fields.empty() || fstrings_.back().fields.back().in_spec);
}

void Lexer::skip_comment() {
    while (!at_end() && here() != '\n' && here() != '\r') {
        ++pos_;
    }
}

void Lexer::token() {
    const char c = here();
    if (c == ' ' || c == '\t' || c == '\f') {
        ++pos_;
    } else if (line_break(pos_) != 0) {
        line_end();
    } else if (c == '#') {
        skip_comment();
    } else if (c == '\\') {
        continuation();
    } else if (starts_word(c)) {
        word();
    } else if ((c >= '0' && c <= '9') || (c == '.' && at(pos_ + 1) >= '0' && at(pos_ + 1) <= '9')) {
        number();
    } else if (c == '"' || c == '\'') {
        string(pos_);
    } else {
        operator_token();
    }
}

void Lexer::line_end() {
    const std::uint32_t length = line_break(pos_);
    if (!joined()) {
        emit(TokenKind::newline, pos_, pos_ + length);
        line_start_ = true;
    }
    pos_ += length;
}

void Lexer::continuation() {
    const std::uint32_t length = line_break(pos_ + 1);
    if (length == 0) {
        if (pos_ + 1 >= text_.size()) {
            fail(pos_, pos_ + 1, "unexpected EOF while parsing", "the last line ends with a backslash");
        }
        fail(pos_, pos_ + 1, "unexpected character after line continuation character",
             "a backslash outside of a string must be the last character of its line");
    }
    pos_ += 1 + length;
    if (at_end()) {
        fail(pos_ - 1, pos_, "unexpected EOF while parsing", "the last line ends with a backslash");
    }
}

}  // namespace amp::python
