#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/flow/text_template.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// A shell command in which every `{{ }}` has become a reference to a variable: values reach the shell as
/// data. Bare it is `"$v"`, inside double quotes `$v` (as `${v}`); where the lexer cannot tell (single
/// quotes, comments, here-documents, `$'…'`, …) it is a diagnostic that shows the mended line. raw(x) stays a
/// part of the text.
class ShellCommand {
  public:
    static std::optional<ShellCommand> compile(const TextTemplate& text, Place at, Diagnostics& diagnostics);

    /// Text and raw() expressions of the script, in order.
    const std::vector<TextTemplate::Part>& script() const { return script_; }
    /// The variables that the script refers to: name (`amp_v1`, …) and expression.
    const std::vector<std::pair<std::string, Expression>>& variables() const { return variables_; }

  private:
    class Compiler;
    std::vector<TextTemplate::Part> script_;
    std::vector<std::pair<std::string, Expression>> variables_;
};

/// One argument or variable of a task: files and `outputs.NAME` become late pieces, all else text.
/// @throws Error(invalid) for a value with NUL or over 128 KiB (names $AMP_IN)
LateText render(const TextTemplate& text, const Scope& scope);
/// A value as late text: FileRef → input piece, {"$output": PATH} (see output_value) → output piece.
LateText late_text(const Value& value);
/// What a scope answers for `outputs.NAME` with this path relative to $AMP_OUT.
Value output_value(const std::string& path);
/// The list form: one argument an element, `{{ *xs }}` as many as xs has.
std::vector<LateText> render_arguments(const std::vector<TextTemplate>& arguments, const Scope& scope);
/// The script of a shell command and its variables, rendered.
struct RenderedCommand {
    LateText script;
    std::vector<std::pair<std::string, LateText>> variables;
};
RenderedCommand render_command(const ShellCommand& command, const Scope& scope);

}  // namespace amp
