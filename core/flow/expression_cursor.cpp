#include "core/flow/expression_cursor.hpp"

#include <fmt/format.h>

#include <charconv>

#include <algorithm>

namespace amp {

const ExpressionToken& ExpressionCursor::peek(std::size_t ahead) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const ExpressionToken& ExpressionCursor::take() {
    const Token& token = tokens_[at_];
    at_ += at_ + 1 < tokens_.size() ? 1 : 0;
    return token;
}

bool ExpressionCursor::accept(std::string_view op) {
    if (!peek().is(op)) {
        return false;
    }
    take();
    return true;
}

void ExpressionCursor::expect(std::string_view op) {
    if (!accept(op)) {
        unexpected(fmt::format("'{}'", op));
    }
}

Place ExpressionCursor::place(const Token& token) const {
    return source_.at(token.offset, std::max<std::size_t>(token.text.size(), 1));
}

std::string ExpressionCursor::shown(const Token& token) {
    return token.kind == Token::Kind::end ? "the end of the expression"
                                          : fmt::format("'{}'", token.text.substr(0, 60));
}

void ExpressionCursor::fail(const Token& token, std::string code, std::string message,
                            std::string hint) const {
    throw ExpressionMistake{std::move(code), place(token), std::move(message), std::move(hint)};
}

void ExpressionCursor::unexpected(std::string_view wanted) const {
    const Token& token = peek();
    std::string hint;
    if (token.is("for")) {
        hint = "there are no comprehensions: use `foreach`, `.*`, or compute the list in a step";
    } else if (token.is("is")) {
        hint = "write `==`, or `not exists(x)`";
    }
    fail(token, "AMP1101",
         wanted.empty() ? fmt::format("unexpected {}", shown(token))
                        : fmt::format("expected {}, found {}", wanted, shown(token)),
         std::move(hint));
}

Value ExpressionCursor::integer(const Token& token, bool negative) const {
    const std::string text = (negative ? "-" : "") + token.value;
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) {
        fail(token, "AMP1107", fmt::format("the number {} does not fit 64 bits", token.text.substr(0, 60)),
             "write it as a float (1e20) or as a text");
    }
    return number;
}

Value ExpressionCursor::floating(const Token& token) const {
    double number = 0;
    const auto [end, failed] =
        std::from_chars(token.value.data(), token.value.data() + token.value.size(), number);
    if (failed != std::errc()) {
        fail(token, "AMP1107", fmt::format("the number {} is out of range", token.text.substr(0, 60)));
    }
    return number;
}

}  // namespace amp
