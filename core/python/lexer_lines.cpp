#include <fmt/format.h>

#include "core/python/lexer_state.hpp"

namespace amp::python {
namespace {

constexpr std::size_t k_max_indents = 100;  // as CPython
constexpr std::uint32_t k_tab = 8;

}  // namespace

/// Walks over what stands before the first token of a logical line, and over lines without one.
void Lexer::indentation() {
    Indent indent;
    std::optional<Indent> first;  // of the first of lines that are joined by a backslash
    const std::uint32_t begin = pos_;
    for (;; ++pos_) {
        const char c = here();
        if (c == ' ') {
            ++indent.column;
            ++indent.tab_is_one;
        } else if (c == '\t') {
            indent.column = (indent.column / k_tab + 1) * k_tab;
            ++indent.tab_is_one;
        } else if (c == '\f') {
            indent = {};
        } else if (c == '\\' && line_break(pos_ + 1) != 0) {
            if (!first && indent.column > 0) {
                first = indent;
            }
            indent = {};
            continuation();
            --pos_;
        } else {
            break;
        }
    }
    if (here() == '#') {
        skip_comment();
    }
    if (const std::uint32_t length = line_break(pos_); length != 0) {
        pos_ += length;
        return;
    }
    if (at_end()) {
        return;
    }
    line_start_ = false;
    apply_indentation(first.value_or(indent), begin);
}

void Lexer::apply_indentation(Indent indent, std::uint32_t line_begin) {
    const auto inconsistent = [&] {
        fail(line_begin, pos_, "inconsistent use of tabs and spaces in indentation",
             "indent with spaces alone");
    };
    if (indent.column > indents_.back().column) {
        if (indent.tab_is_one <= indents_.back().tab_is_one) {
            inconsistent();
        }
        if (indents_.size() >= k_max_indents) {
            fail_too_deep(line_begin, "too many levels of indentation");
        }
        indents_.push_back(indent);
        emit(TokenKind::indent, line_begin, pos_);
        return;
    }
    while (indent.column < indents_.back().column) {
        indents_.pop_back();
        emit(TokenKind::dedent, pos_, pos_);
    }
    if (indent.column != indents_.back().column) {
        fail(line_begin, pos_, "unindent does not match any outer indentation level",
             fmt::format("the enclosing block is indented by {} columns, this line by {}",
                         indents_.back().column, indent.column));
    }
    if (indent.tab_is_one != indents_.back().tab_is_one) {
        inconsistent();
    }
}

}  // namespace amp::python
