#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/flow/expression_lexer.hpp"

namespace amp {

/// The first mistake of an expression; thrown to end its parse.
struct ExpressionMistake {
    std::string code;
    Place place;
    std::string message;
    std::string hint;
};

/// Walks over the tokens of an expression; what does not fit is an ExpressionMistake.
class ExpressionCursor {
  public:
    using Token = ExpressionToken;

    /// @param source must outlive the cursor
    /// @param tokens the last one is `end`
    ExpressionCursor(const TextPlaces& source, std::vector<Token> tokens)
        : source_(source), tokens_(std::move(tokens)) {}

    const Token& peek(std::size_t ahead = 0) const;
    const Token& take();
    /// Takes the operator or word if it is next.
    bool accept(std::string_view op);
    void expect(std::string_view op);

    /// The number that a token of kind integer or floating says; a mistake when it is too large.
    Value integer(const Token& token, bool negative) const;
    Value floating(const Token& token) const;

    Place place(const Token& token) const;
    Place place(std::size_t from, std::size_t to) const { return source_.at(from, to - from); }
    static std::string shown(const Token& token);

    [[noreturn]] void fail(const Token& token, std::string code, std::string message,
                           std::string hint = {}) const;
    [[noreturn]] void unexpected(std::string_view wanted = {}) const;

  private:
    const TextPlaces& source_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}  // namespace amp
