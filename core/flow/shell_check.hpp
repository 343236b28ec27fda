#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/flow/diagnostic.hpp"
#include "core/flow/shell_lexer.hpp"
#include "core/flow/text_template.hpp"

namespace amp {

/// Which shell a step's `shell` names.
ShellDialect dialect_of(const std::vector<std::string>& shell);

/// Can the value of this expression be nothing but a number (or a boolean)?
/// @param numbers the parameters that are
bool is_number(const Expression& expression, const std::set<std::string, std::less<>>& numbers);

/// Tells every `{{ }}` that stands in a word which its command does not take as data: a name for `read`, the
/// program of `bash -c`, an integer variable … Numbers do no harm there.
void check_shell_words(const TextTemplate& text, ShellDialect dialect,
                       const std::set<std::string, std::less<>>& numbers, Diagnostics& diagnostics);

}  // namespace amp
