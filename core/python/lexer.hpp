#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/python/source_text.hpp"
#include "core/python/token.hpp"

namespace amp::python {

struct LexedFile {
    std::vector<Token> tokens;         ///< ends with `end`, or with `error`
    std::optional<SyntaxError> error;  ///< where the tokens end early
    /// The innermost bracket that is open where the tokens end: its index among them.
    std::optional<std::uint32_t> open_bracket;
};

/// The tokens of Python 3.8 to 3.13. Linear in the size of the text, whatever it holds. The text must be
/// valid UTF-8 without NUL bytes; a byte order mark at its start is skipped.
LexedFile lex(const SourceText& source);

}  // namespace amp::python
