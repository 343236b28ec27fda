#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/flow/expression.hpp"

namespace amp {

/// A text with `{{ expression }}` in it, as any value of a step may be. `{{ '{{' }}` is a literal `{{`.
class TextTemplate {
  public:
    using Part = std::variant<std::string, Expression>;

    /// @param at where `text` begins in the file. `escaped` tells that the text in the file is longer than
    /// `text`
    ///        (escapes in a basic string), so that columns are those of the whole string
    static std::optional<TextTemplate> parse(std::string_view text, Place at, bool escaped,
                                             Diagnostics& diagnostics);

    /// The expressions of a text that cannot be parsed as a whole: those that can.
    static std::vector<Expression> readable_expressions(std::string_view text, Place at, bool escaped);

    const std::vector<Part>& parts() const { return parts_; }
    bool is_plain() const;
    /// Exactly one expression and nothing else: its value keeps its type.
    bool is_single() const;
    /// `{{ *xs }}` alone: as many arguments as xs has.
    bool is_spread() const { return spread_; }
    std::vector<Expression> expressions() const;
    const std::string& source() const { return source_; }
    /// Where each part lies in source(), braces included.
    struct Span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    const std::vector<Span>& spans() const { return spans_; }

  private:
    class Parser;
    std::vector<Part> parts_;
    std::vector<Span> spans_;
    std::string source_;
    bool spread_ = false;
};

}  // namespace amp
