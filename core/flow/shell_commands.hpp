#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/shell_lexer.hpp"

namespace amp {

/// What the shell does with the words of one simple command beyond handing them over: builtins that take
/// names, arithmetic or code, and shells that are started with a program text.
struct CommandUses {
    struct Use {
        std::size_t word = 0;
        ShellSlot::Context context = ShellSlot::Context::bare;
    };
    std::vector<Use> uses;
    std::vector<std::string> integers;  ///< variables whose assignments are evaluated from here on
    std::vector<std::string> arrays;    ///< variables for which `declare x=(…)` is code
    /// `x=VALUE` of a declaration, whose value is code where x is an array.
    std::vector<std::pair<std::string, std::size_t>> declared;
};

/// @param words of a command, as written: its name first; a slot is k_shell_slot. Linear.
CommandUses uses_of_words(std::span<const std::string_view> words, ShellDialect dialect);

/// Does the shell evaluate all that is assigned to this variable of its own?
bool is_evaluated_variable(std::string_view name);
/// Is the value of this variable code, here or in a shell that is started?
bool is_code_variable(std::string_view name);

}  // namespace amp
