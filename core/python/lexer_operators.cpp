#include <fmt/format.h>

#include <array>

#include "core/python/lexer_state.hpp"

namespace amp::python {
namespace {

constexpr std::size_t k_max_brackets = 200;  // as CPython

using Operator = std::pair<std::string_view, TokenKind>;
// The longer ones first.
constexpr std::array<Operator, 48> k_operators = {{
    {"**=", TokenKind::double_star_assign},
    {"//=", TokenKind::double_slash_assign},
    {"<<=", TokenKind::left_shift_assign},
    {">>=", TokenKind::right_shift_assign},
    {"...", TokenKind::ellipsis},
    {"!=", TokenKind::not_equal},
    {"%=", TokenKind::percent_assign},
    {"&=", TokenKind::ampersand_assign},
    {"**", TokenKind::double_star},
    {"*=", TokenKind::star_assign},
    {"+=", TokenKind::plus_assign},
    {"-=", TokenKind::minus_assign},
    {"->", TokenKind::arrow},
    {"//", TokenKind::double_slash},
    {"/=", TokenKind::slash_assign},
    {":=", TokenKind::walrus},
    {"<<", TokenKind::left_shift},
    {"<=", TokenKind::less_equal},
    {"<>", TokenKind::error},
    {"==", TokenKind::equal},
    {">=", TokenKind::greater_equal},
    {">>", TokenKind::right_shift},
    {"@=", TokenKind::at_assign},
    {"^=", TokenKind::caret_assign},
    {"|=", TokenKind::bar_assign},
    {"%", TokenKind::percent},
    {"&", TokenKind::ampersand},
    {"(", TokenKind::left_paren},
    {")", TokenKind::right_paren},
    {"*", TokenKind::star},
    {"+", TokenKind::plus},
    {",", TokenKind::comma},
    {"-", TokenKind::minus},
    {".", TokenKind::dot},
    {"/", TokenKind::slash},
    {":", TokenKind::colon},
    {";", TokenKind::semicolon},
    {"<", TokenKind::less},
    {"=", TokenKind::assign},
    {">", TokenKind::greater},
    {"@", TokenKind::at},
    {"[", TokenKind::left_bracket},
    {"]", TokenKind::right_bracket},
    {"^", TokenKind::caret},
    {"{", TokenKind::left_brace},
    {"|", TokenKind::bar},
    {"}", TokenKind::right_brace},
    {"~", TokenKind::tilde},
}};

TokenKind closer_of(TokenKind open) {
    return open == TokenKind::left_paren     ? TokenKind::right_paren
           : open == TokenKind::left_bracket ? TokenKind::right_bracket
                                             : TokenKind::right_brace;
}

}  // namespace

std::pair<TokenKind, std::uint32_t> Lexer::longest_operator() const {
    const std::string_view rest = text_.substr(pos_, 3);
    for (const auto& [text, kind] : k_operators) {
        if (rest.starts_with(text)) {
            return {kind, static_cast<std::uint32_t>(text.size())};
        }
    }
    return {TokenKind::error, 1};
}

void Lexer::operator_token() {
    auto [kind, length] = longest_operator();
    // Between the braces of an f-string, but not within brackets there, `:` starts the format, `!` the
    // conversion.
    Field* field =
        fstrings_.empty() || fstrings_.back().fields.empty() ? nullptr : &fstrings_.back().fields.back();
    if (field != nullptr && field->brackets != brackets_.size()) {
        field = nullptr;
    }
    if (field != nullptr && kind == TokenKind::walrus) {
        kind = TokenKind::colon;
        length = 1;
    }
    if (field != nullptr && here() == '!' && kind != TokenKind::not_equal) {
        kind = TokenKind::exclamation;
    }
    switch (kind) {
        case TokenKind::error:
            if (length == 2) {
                fail(pos_, pos_ + 2, "invalid syntax", "'<>' is now written '!='");
            }
            fail(pos_, pos_ + 1,
                 static_cast<unsigned char>(here()) < 0x20 || here() == 0x7F
                     ? fmt::format("invalid non-printable character U+{:04X}", here())
                     : "invalid syntax");
        case TokenKind::left_paren:
        case TokenKind::left_bracket:
        case TokenKind::left_brace:
            open_bracket(kind);
            return;
        case TokenKind::right_paren:
        case TokenKind::right_bracket:
        case TokenKind::right_brace:
            close_bracket(kind);
            return;
        default:
            break;
    }
    emit(kind, pos_, pos_ + length);
    pos_ += length;
    if (field != nullptr && kind == TokenKind::colon) {
        field->in_spec = true;
    }
}

void Lexer::open_bracket(TokenKind kind) {
    if (brackets_.size() >= k_max_brackets) {
        fail_too_deep(pos_, "too many nested parentheses");
    }
    brackets_.push_back(static_cast<std::uint32_t>(out_.tokens.size()));
    emit(kind, pos_, pos_ + 1);
    ++pos_;
}

void Lexer::close_bracket(TokenKind kind) {
    // What is open outside of an f-string cannot be closed within it.
    const bool in_field = !fstrings_.empty() && !fstrings_.back().fields.empty();
    if (brackets_.empty() || (in_field && brackets_.size() < fstrings_.back().fields.back().brackets)) {
        fail(pos_, pos_ + 1, fmt::format("unmatched '{}'", here()));
    }
    Token& open = out_.tokens[brackets_.back()];
    if (closer_of(open.kind) != kind) {
        const std::uint32_t line = source_.line_of(open.begin);
        const std::string where = line == source_.line_of(pos_) ? "" : fmt::format(" on line {}", line);
        fail(pos_, pos_ + 1,
             fmt::format("closing parenthesis '{}' does not match opening parenthesis '{}'{}", here(),
                         text_[open.begin], where));
    }
    open.closes_at = static_cast<std::uint32_t>(out_.tokens.size());
    if (in_field && brackets_.size() == fstrings_.back().fields.back().brackets) {
        fstrings_.back().fields.pop_back();
    }
    brackets_.pop_back();
    emit(kind, pos_, pos_ + 1);
    ++pos_;
}

}  // namespace amp::python
