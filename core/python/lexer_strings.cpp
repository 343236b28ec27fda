#include <fmt/format.h>

#include "core/python/lexer_state.hpp"

namespace amp::python {
namespace {

constexpr std::size_t k_max_fstrings = 100;
constexpr std::size_t k_max_fields = 50;

}  // namespace

/// `pos_` is at the opening quotes, `begin` at the prefix.
void Lexer::string(std::uint32_t begin) {
    const char quote = here();
    const std::size_t quotes = at(pos_ + 1) == quote && at(pos_ + 2) == quote ? 3 : 1;
    const std::string_view prefix = text_.substr(begin, pos_ - begin);
    pos_ += static_cast<std::uint32_t>(quotes);
    if (prefix.find_first_of("fF") != std::string_view::npos) {
        if (fstrings_.size() >= k_max_fstrings) {
            fail_too_deep(begin, "too many nested f-strings");
        }
        emit(TokenKind::fstring_start, begin, pos_);
        fstrings_.push_back({quote, quotes, prefix.find_first_of("rR") != std::string_view::npos, begin});
        return;
    }
    for (std::size_t run = 0; run < quotes; ++pos_) {
        if (at_end() || (quotes == 1 && line_break(pos_) != 0)) {
            const std::uint32_t line = source_.line_of(at_end() ? source_.size() : pos_);
            fail(begin, begin + 1,
                 fmt::format("unterminated {}string literal (detected at line {})",
                             quotes == 3 ? "triple-quoted " : "", line));
        }
        if (here() == '\\') {
            pos_ += std::max(line_break(pos_ + 1), 1U);
            run = 0;
        } else {
            run = here() == quote ? run + 1 : 0;
        }
    }
    pos_ = std::min(pos_, source_.size());
    emit(TokenKind::string, begin, pos_);
}

bool Lexer::fstring_ends() {
    const FString& open = fstrings_.back();
    for (std::size_t i = 0; i < open.quotes; ++i) {
        if (at(pos_ + i) != open.quote) {
            return false;
        }
    }
    return true;
}

bool Lexer::fstring_backslash(const FString& literal) {
    const char next = at(pos_ + 1);
    if (next == '{' || next == '}') {
        ++pos_;  // the brace keeps its meaning
        return false;
    }
    if (!literal.raw && next == 'N' && at(pos_ + 2) == '{') {
        pos_ += 3;
        return true;
    }
    pos_ += 1 + std::max(line_break(pos_ + 1), 1U);
    pos_ = std::min(pos_, source_.size());
    return false;
}

void Lexer::close_fstring(std::uint32_t middle) {
    const FString& open = fstrings_.back();
    if (!open.fields.empty()) {
        fail(pos_, pos_ + 1, "f-string: expecting '}'");
    }
    if (middle != pos_) {
        emit(TokenKind::fstring_middle, middle, pos_);
    }
    emit(TokenKind::fstring_end, pos_, pos_ + static_cast<std::uint32_t>(open.quotes));
    pos_ += static_cast<std::uint32_t>(open.quotes);
    fstrings_.pop_back();
}

void Lexer::open_field() {
    if (fstrings_.back().fields.size() >= k_max_fields) {
        fail_too_deep(pos_, "f-string: expressions nested too deeply");
    }
    open_bracket(TokenKind::left_brace);
    fstrings_.back().fields.push_back({brackets_.size(), false});
}

/// The text of an f-string, or of a format within it, up to a brace or its end.
void Lexer::fstring_text() {
    const std::uint32_t begin = pos_;
    const FString& open = fstrings_.back();
    const bool in_spec = !open.fields.empty();
    bool in_name = false;  // of \N{NAME}
    while (!at_end()) {
        const char c = here();
        if (fstring_ends()) {
            close_fstring(begin);
            return;
        }
        if (open.quotes == 1 && line_break(pos_) != 0) {
            fail(open.begin, open.begin + 1,
                 fmt::format("unterminated f-string literal (detected at line {})", source_.line_of(pos_)));
        }
        if (c == '\\') {
            in_name = fstring_backslash(open) || in_name;
        } else if ((c == '{' || c == '}') && !in_spec && at(pos_ + 1) == c && !in_name) {
            pos_ += 2;
        } else if (c == '}' && in_name) {
            in_name = false;
            ++pos_;
        } else if (c == '{' || c == '}') {
            if (begin != pos_) {
                emit(TokenKind::fstring_middle, begin, pos_);
            }
            if (c == '{') {
                open_field();
            } else if (in_spec) {
                close_bracket(TokenKind::right_brace);
            } else {
                fail(pos_, pos_ + 1, "f-string: single '}' is not allowed");
            }
            return;
        } else {
            ++pos_;
        }
    }
}

}  // namespace amp::python
