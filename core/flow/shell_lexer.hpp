#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// Stands for a `{{ }}` in the text given to scan_shell: the one byte that no script can hold.
constexpr char k_shell_slot = '\0';

/// Shells differ in what they evaluate as arithmetic: bash and dash, zsh, ksh and its like.
enum class ShellDialect { bash, zsh, ksh };

/// Where a `{{ }}` stands in a shell script.
struct ShellSlot {
    enum class Context {
        bare,           ///< `"$v"` is data
        double_quotes,  ///< `${v}` is data
        // In all others no reference to a variable would arrive as data.
        single_quotes,
        ansi_quotes,  ///< $'…'
        comment,
        here_document,         ///< <<EOF
        here_document_quoted,  ///< <<'EOF'
        here_delimiter,        ///< the word after <<
        backquotes,
        parameter,   ///< ${…}
        arithmetic,  ///< $((…)), ((…)), let, declare -i: a value there is a program
        subscript,   ///< a[…]=, $a[…]: arithmetic too
        comparison,  ///< [[ … -eq … ]]: arithmetic too
        name,        ///< of a variable, function or loop
        after_backslash,
        after_dollar,
        // Of `word_use` alone.
        code,     ///< eval, trap, …: the shell reads it again
        program,  ///< of `bash -c`: another shell reads it
        option,   ///< of a builtin with an option that names a variable
        twice,    ///< behind >&: bash expands it twice
    };
    Context context = Context::bare;
    std::size_t offset = 0;
    std::size_t begin = 0;  ///< of the construct that makes it no data: its first byte …
    std::size_t end = 0;    ///< … and one past its last; 0 when unknown
    std::size_t level = 0;  ///< for the lexer
    /// What the command does with the word that it is a part of, where that is more than to take it as data:
    /// `name`, `arithmetic`, or one of the last four. A number does no harm there.
    std::optional<Context> word_use;
    std::size_t word_begin = 0;

    bool is_data() const { return context == Context::bare || context == Context::double_quotes; }
};

struct ShellScan {
    std::vector<ShellSlot> slots;  ///< in order
    /// What keeps the lexer from telling what the rest of the script is.
    struct Problem {
        std::size_t offset = 0;
        std::string message;
    };
    std::optional<Problem> problem;
};

/// Finds the quoting context of each slot of a script for sh, dash, bash, ksh or zsh. Where these differ, or
/// the script is wrong, no slot is called data that is not. Linear in the size of the script; never throws.
ShellScan scan_shell(std::string_view script, ShellDialect dialect = ShellDialect::bash);

}  // namespace amp
