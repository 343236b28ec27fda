#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/python/lexer_state.hpp"

namespace amp::python {
namespace {

using Keyword = std::pair<std::string_view, TokenKind>;
// Sorted.
constexpr std::array<Keyword, 35> k_keywords = {{
    {"False", TokenKind::kw_false},
    {"None", TokenKind::kw_none},
    {"True", TokenKind::kw_true},
    {"and", TokenKind::kw_and},
    {"as", TokenKind::kw_as},
    {"assert", TokenKind::kw_assert},
    {"async", TokenKind::kw_async},
    {"await", TokenKind::kw_await},
    {"break", TokenKind::kw_break},
    {"class", TokenKind::kw_class},
    {"continue", TokenKind::kw_continue},
    {"def", TokenKind::kw_def},
    {"del", TokenKind::kw_del},
    {"elif", TokenKind::kw_elif},
    {"else", TokenKind::kw_else},
    {"except", TokenKind::kw_except},
    {"finally", TokenKind::kw_finally},
    {"for", TokenKind::kw_for},
    {"from", TokenKind::kw_from},
    {"global", TokenKind::kw_global},
    {"if", TokenKind::kw_if},
    {"import", TokenKind::kw_import},
    {"in", TokenKind::kw_in},
    {"is", TokenKind::kw_is},
    {"lambda", TokenKind::kw_lambda},
    {"nonlocal", TokenKind::kw_nonlocal},
    {"not", TokenKind::kw_not},
    {"or", TokenKind::kw_or},
    {"pass", TokenKind::kw_pass},
    {"raise", TokenKind::kw_raise},
    {"return", TokenKind::kw_return},
    {"try", TokenKind::kw_try},
    {"while", TokenKind::kw_while},
    {"with", TokenKind::kw_with},
    {"yield", TokenKind::kw_yield},
}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_string_prefix(std::string_view word) {
    std::string lower(word);
    for (char& c : lower) {
        c = static_cast<char>(c | 0x20);
    }
    return lower == "r" || lower == "b" || lower == "u" || lower == "f" || lower == "rb" || lower == "br" ||
           lower == "rf" || lower == "fr";
}

/// The code point at `text[offset]`, and its length. The text is valid UTF-8.
std::pair<std::uint32_t, std::uint32_t> code_point(std::string_view text, std::size_t offset) {
    const auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[offset + i]));
    };
    const std::uint32_t first = byte(0);
    const std::uint32_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint32_t value = length == 1 ? first : first & (0x7FU >> length);
    for (std::uint32_t i = 1; i < length && offset + i < text.size(); ++i) {
        value = (value << 6) | (byte(i) & 0x3F);
    }
    return {value, length};
}

/// Those that are most often typed or pasted where they cannot stand: spaces, quotes, dashes, arrows,
/// symbols. Which other characters make a name is for Python to say.
bool is_no_name_character(std::uint32_t c) {
    if (c < 0xC0) {
        return c != 0xAA && c != 0xB5 && c != 0xB7 && c != 0xBA;
    }
    return c == 0xD7 || c == 0xF7 ||
           (c >= 0x2000 && c <= 0x206F && c != 0x203F && c != 0x2040 && c != 0x2054) ||
           (c >= 0x2190 && c <= 0x2BFF) || (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) ||
           (c >= 0xE000 && c <= 0xF8FF) || c == 0xFEFF || (c >= 0xFF01 && c <= 0xFF0F) ||
           (c >= 0xFF1A && c <= 0xFF20) || (c >= 0x1F300 && c <= 0x1FAFF);
}

bool is_printable(std::uint32_t c) {
    return c >= 0xA1 && c != 0xAD && !(c >= 0x2000 && c <= 0x200F) && !(c >= 0x2028 && c <= 0x202F) &&
           !(c >= 0x205F && c <= 0x206F) && c != 0x3000 && c != 0xFEFF && !(c >= 0xE000 && c <= 0xF8FF);
}

}  // namespace

TokenKind keyword_kind(std::string_view word) {
    const auto it = std::lower_bound(k_keywords.begin(), k_keywords.end(), word,
                                     [](const Keyword& a, std::string_view b) { return a.first < b; });
    return it != k_keywords.end() && it->first == word ? it->second : TokenKind::name;
}

bool starts_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool continues_word(char c) {
    return starts_word(c) || is_digit(c);
}

void Lexer::word() {
    const std::uint32_t begin = pos_;
    bool plain = true;
    for (; continues_word(here()); ++pos_) {
        plain = plain && static_cast<unsigned char>(here()) < 0x80;
    }
    const std::string_view text = text_.substr(begin, pos_ - begin);
    if ((here() == '"' || here() == '\'') && text.size() <= 2 && is_string_prefix(text)) {
        string(begin);
        return;
    }
    if (!plain) {
        check_word(begin, pos_);
    }
    emit(keyword_kind(text), begin, pos_);
}

void Lexer::check_word(std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t i = begin; i < end;) {
        const auto [value, length] = code_point(text_, i);
        if (value >= 0x80 && is_no_name_character(value)) {
            if (is_printable(value)) {
                fail(i, i + length,
                     fmt::format("invalid character '{}' (U+{:04X})", text_.substr(i, length), value));
            }
            fail(i, i + length, fmt::format("invalid non-printable character U+{:04X}", value),
                 "it looks like a space or like nothing: type it again");
        }
        i += length;
    }
}

void Lexer::number() {
    const std::uint32_t begin = pos_;
    const char second = static_cast<char>(at(begin + 1) | 0x20);
    if (here() == '0' && (second == 'x' || second == 'o' || second == 'b')) {
        prefixed_integer(second == 'x'   ? "0123456789abcdefABCDEF"
                         : second == 'o' ? "01234567"
                                         : "01",
                         second == 'x'   ? "hexadecimal"
                         : second == 'o' ? "octal"
                                         : "binary");
        return;
    }
    constexpr std::string_view k_decimal = "0123456789";
    TokenKind kind = TokenKind::integer;
    if (here() != '.') {
        digits(k_decimal, "decimal");
    }
    if (here() == '.') {
        kind = TokenKind::floating;
        ++pos_;
        if (is_digit(here())) {
            digits(k_decimal, "decimal");
        }
    }
    if (here() == 'e' || here() == 'E') {
        const std::uint32_t sign = at(pos_ + 1) == '+' || at(pos_ + 1) == '-' ? 1 : 0;
        if (is_digit(at(pos_ + 1 + sign))) {
            kind = TokenKind::floating;
            pos_ += 1 + sign;
            digits(k_decimal, "decimal");
        } else if (sign != 0) {
            fail(begin, pos_ + 1, "invalid decimal literal");
        }
    }
    if (here() == 'j' || here() == 'J') {
        ++pos_;
        end_of_number(begin, "imaginary");
        emit(TokenKind::imaginary, begin, pos_);
        return;
    }
    end_of_number(begin, "decimal");
    if (kind == TokenKind::integer && text_[begin] == '0' &&
        text_.substr(begin, pos_ - begin).find_first_not_of("0_") != std::string_view::npos) {
        fail(begin, pos_,
             "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal "
             "integers");
    }
    emit(kind, begin, pos_);
}

void Lexer::prefixed_integer(std::string_view allowed, std::string_view name) {
    const std::uint32_t begin = pos_;
    pos_ += 2;
    if (here() == '_') {
        ++pos_;
    }
    if (allowed.find(here()) == std::string_view::npos || at_end()) {
        if (is_digit(here())) {
            fail(pos_, pos_ + 1, fmt::format("invalid digit '{}' in {} literal", here(), name));
        }
        fail(begin, pos_, fmt::format("invalid {} literal", name));
    }
    digits(allowed, name);
    if (is_digit(here())) {
        fail(pos_, pos_ + 1, fmt::format("invalid digit '{}' in {} literal", here(), name));
    }
    end_of_number(begin, name);
    emit(TokenKind::integer, begin, pos_);
}

bool Lexer::digits(std::string_view allowed, std::string_view name) {
    const std::uint32_t begin = pos_;
    const auto is_allowed = [&](char c) { return c != '\0' && allowed.find(c) != std::string_view::npos; };
    while (is_allowed(here()) || here() == '_') {
        if (here() == '_' && !is_allowed(at(pos_ + 1))) {
            fail(pos_, pos_ + 1, fmt::format("invalid {} literal", name));
        }
        ++pos_;
    }
    return pos_ > begin;
}

/// A keyword may follow at once (`1if x else 2`); any other word may not.
void Lexer::end_of_number(std::uint32_t begin, std::string_view name) {
    if (!continues_word(here())) {
        return;
    }
    for (const std::string_view word : {"and", "else", "for", "if", "in", "is", "or", "not"}) {
        if (starts_with(word)) {
            return;
        }
    }
    fail(begin, pos_ + 1, fmt::format("invalid {} literal", name), "a name cannot start with a digit");
}

}  // namespace amp::python
