#pragma once

#include <string>
#include <string_view>

#include "core/flow/shell_lexer.hpp"

namespace amp {

/// The diagnostic of a `{{ }}` that stands where it would not arrive as data.
struct ShellMistake {
    std::string code;
    std::string message;
    std::string hint;  ///< with the mended line where there is one
};

/// A script as its author wrote it, and where in it a slot and the construct around it lie.
struct WrittenSlot {
    std::string_view source;
    std::size_t begin = 0;  ///< of the `{{ … }}`
    std::size_t end = 0;
    std::size_t construct_begin = 0;
    std::size_t construct_end = 0;  ///< 0: unknown
    std::string_view expression;    ///< without braces
};

ShellMistake explain(ShellSlot::Context context, const WrittenSlot& slot);
/// The same for ShellSlot::word_use; the construct is the word.
ShellMistake explain_use(ShellSlot::Context use, const WrittenSlot& slot);

}  // namespace amp
