#include "core/flow/interpolation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/flow/expression_lexer.hpp"
#include "core/flow/functions.hpp"
#include "core/flow/shell_lexer.hpp"
#include "core/flow/shell_lexer_hints.hpp"

namespace amp {
namespace {

/// The kernel's limit for one argument or variable (MAX_ARG_STRLEN), with its NUL.
constexpr std::size_t k_max_string = std::size_t{128} << 10;
constexpr std::size_t k_max_mistakes = 20;
constexpr std::string_view k_output_key = "$output";

/// The script with one byte for each `{{ }}`, and the way back to what its author wrote.
struct Flat {
    std::string text;
    std::vector<std::size_t> begins;  ///< of each part, in `text`
};

Flat flatten(const TextTemplate& source) {
    Flat out;
    for (const TextTemplate::Part& part : source.parts()) {
        out.begins.push_back(out.text.size());
        if (const auto* text = std::get_if<std::string>(&part)) {
            out.text += *text;
        } else {
            out.text += k_shell_slot;
        }
    }
    return out;
}

std::size_t written_offset(const TextTemplate& source, const Flat& flat, std::size_t offset) {
    if (offset >= flat.text.size()) {
        return source.source().size();
    }
    const auto part =
        std::upper_bound(flat.begins.begin(), flat.begins.end(), offset) - flat.begins.begin() - 1;
    const auto index = static_cast<std::size_t>(part);
    return source.spans()[index].begin + (offset - flat.begins[index]);
}

/// `{{ '{{' }}`: braces that are meant as text, which no shell quoting can do harm to.
bool is_literal_braces(const Expression& expression) {
    const auto value = expression.literal();
    return value && value->is_string() && value->as_string().find_first_not_of("{}") == std::string::npos;
}

void append(LateText& out, std::string text) {
    if (text.empty()) {
        return;
    }
    if (!out.empty() && out.back().kind == Piece::Kind::text) {
        out.back().text += text;
    } else {
        out.push_back({Piece::Kind::text, std::move(text)});
    }
}

void append(LateText& out, LateText pieces) {
    for (Piece& piece : pieces) {
        if (piece.kind == Piece::Kind::text) {
            append(out, std::move(piece.text));
        } else {
            out.push_back(std::move(piece));
        }
    }
}

bool holds_late(const Value& value) {
    if (is_late(value)) {
        return true;
    }
    if (value.is_list()) {
        return std::any_of(value.as_list().begin(), value.as_list().end(), holds_late);
    }
    return value.is_object() && std::any_of(value.as_object().begin(), value.as_object().end(),
                                            [](const auto& member) { return holds_late(member.second); });
}

/// JSON in which the paths of files are pieces of their own.
void append_json(LateText& out, const Value& value) {
    if (is_late(value)) {
        append(out, "\"");
        append(out, late_text(value));
        append(out, "\"");
    } else if (!holds_late(value)) {
        append(out, json::dump(value));
    } else if (value.is_list()) {
        std::string before = "[";
        for (const Value& entry : value.as_list()) {
            append(out, std::exchange(before, ","));
            append_json(out, entry);
        }
        append(out, "]");
    } else {
        std::string before = "{";
        for (const auto& [key, member] : value.as_object()) {
            append(out, std::exchange(before, ",") + json::quote(key) + ":");
            append_json(out, member);
        }
        append(out, "}");
    }
}

/// What the kernel takes as one string. `extra`: bytes beside the text, with the NUL.
void check_string(const LateText& text, std::size_t extra, std::string_view what) {
    std::size_t size = extra;
    for (const Piece& piece : text) {
        size += piece.text.size();
        if (piece.text.find('\0') != std::string::npos) {
            throw Error(ExitCode::invalid,
                        fmt::format("{} has a NUL byte, which no argument or variable can hold", what), {},
                        "read it from its file under $AMP_IN");
        }
    }
    if (size > k_max_string) {
        throw Error(ExitCode::invalid,
                    fmt::format("{} has {} bytes; the system takes at most {}", what, size - extra,
                                k_max_string - extra),
                    {}, "read it from its file under $AMP_IN (name it in `inputs`), or from $AMP_PARAMS");
    }
}

/// An Error of `{{ }}` within, with the expression as its place.
template <class Action>
auto within(const std::string& text, Action action) {
    try {
        return action();
    } catch (const Error& error) {
        if (!error.where().empty()) {
            throw;
        }
        throw Error(error.code(), error.message(), text, error.hint());
    }
}

LateText render_unchecked(const TextTemplate& text, const Scope& scope) {
    LateText out;
    for (const TextTemplate::Part& part : text.parts()) {
        if (const auto* expression = std::get_if<Expression>(&part)) {
            append(out, within(expression->text(), [&] { return late_text(expression->evaluate(scope)); }));
        } else {
            append(out, std::get<std::string>(part));
        }
    }
    return out;
}

}  // namespace

/// Puts references to variables in the place of expressions, or says why not.
class ShellCommand::Compiler {
  public:
    Compiler(const TextTemplate& text, Place at, Diagnostics& diagnostics)
        : text_(text), at_(at), diagnostics_(diagnostics), flat_(flatten(text)) {}

    std::optional<ShellCommand> run() {
        if (text_.is_plain()) {
            out_.script_ = text_.parts();
            return std::move(out_);
        }
        if (text_.is_spread()) {
            mistake("AMP1212", "'{{ *… }}' stands for several arguments, which only the list form has",
                    "write run = [\"program\", \"{{ *xs }}\"], or join(xs, \" \") for one text");
            return std::nullopt;
        }
        if (static_cast<std::size_t>(std::count(flat_.text.begin(), flat_.text.end(), k_shell_slot)) >
            text_.expressions().size()) {
            mistake("AMP1213", "a script cannot hold a NUL byte", "leave \\u0000 out");
            return std::nullopt;
        }
        const ShellScan scan = scan_shell(flat_.text);
        std::size_t slot = 0;
        for (std::size_t i = 0; i < text_.parts().size() && mistakes_ < k_max_mistakes; ++i) {
            const TextTemplate::Part& part = text_.parts()[i];
            if (const auto* text = std::get_if<std::string>(&part)) {
                plain(*text);
            } else if (slot < scan.slots.size()) {
                expression(i, std::get<Expression>(part), scan.slots[slot++]);
            } else {
                unknown(scan);
                return std::nullopt;
            }
        }
        if (mistakes_ == 0 && scan.problem) {
            unknown(scan);
        }
        return mistakes_ == 0 ? std::optional(std::move(out_)) : std::nullopt;
    }

  private:
    void mistake(std::string code, std::string message, std::string hint, std::optional<Place> place = {}) {
        diagnostics_.error(std::move(code), place.value_or(at_), std::move(message), std::move(hint));
        ++mistakes_;
    }

    void plain(const std::string& text) {
        if (!out_.script_.empty() && std::holds_alternative<std::string>(out_.script_.back())) {
            std::get<std::string>(out_.script_.back()) += text;
        } else {
            out_.script_.emplace_back(text);
        }
    }

    void expression(std::size_t part, const Expression& expression, const ShellSlot& slot) {
        if (expression.is_raw()) {
            out_.script_.emplace_back(expression);
        } else if (slot.is_data()) {
            const bool bare = slot.context == ShellSlot::Context::bare;
            plain(fmt::format("{0}${{{1}}}{0}", bare ? "\"" : "", variable(expression)));
        } else if (is_literal_braces(expression)) {
            plain(expression.literal()->as_string());
        } else {
            const auto& span = text_.spans()[part];
            const WrittenSlot written{text_.source(),
                                      span.begin,
                                      span.end,
                                      written_offset(text_, flat_, slot.begin),
                                      slot.end == 0 ? 0 : written_offset(text_, flat_, slot.end - 1) + 1,
                                      expression.text()};
            ShellMistake found = explain(slot.context, written);
            mistake(std::move(found.code), std::move(found.message), std::move(found.hint),
                    expression.place());
        }
    }

    /// One variable an expression text, with a name that the script does not mention.
    const std::string& variable(const Expression& expression) {
        const auto [known, fresh] = names_.try_emplace(expression.text());
        if (fresh) {
            do {
                known->second = fmt::format("amp_v{}", ++number_);
            } while (taken(known->second));
            out_.variables_.emplace_back(known->second, expression);
        }
        return known->second;
    }

    bool taken(const std::string& name) {
        if (!mentions_) {
            mentions_ = flat_.text.find("amp_v") != std::string::npos;
        }
        return *mentions_ && flat_.text.find(name) != std::string::npos;
    }

    void unknown(const ShellScan& scan) {
        const std::size_t offset = scan.problem ? scan.problem->offset : 0;
        std::string message = scan.problem ? scan.problem->message : "the script cannot be read";
        const std::size_t written = written_offset(text_, flat_, offset);
        const std::string_view rest = std::string_view(text_.source()).substr(written);
        mistake("AMP1211", std::move(message),
                fmt::format("close it, so that it is clear what `{{{{ }}}}` stands in: {}",
                            rest.substr(0, std::min<std::size_t>(rest.find('\n'), 60))));
    }

    const TextTemplate& text_;
    Place at_;
    Diagnostics& diagnostics_;
    Flat flat_;
    std::map<std::string, std::string> names_;
    std::size_t number_ = 0;
    std::size_t mistakes_ = 0;
    std::optional<bool> mentions_;
    ShellCommand out_;
};

std::optional<ShellCommand> ShellCommand::compile(const TextTemplate& text, Place at,
                                                  Diagnostics& diagnostics) {
    return Compiler(text, at, diagnostics).run();
}

Value output_value(const std::string& path) {
    return Object{{std::string(k_output_key), path}};
}

LateText late_text(const Value& value) {
    LateText out;
    if (value.is_file()) {
        out.push_back({Piece::Kind::input, value.as_file().path});
    } else if (is_late(value)) {
        out.push_back({Piece::Kind::output, get_string(value, k_output_key)});
    } else if ((value.is_list() || value.is_object()) && holds_late(value)) {
        append_json(out, value);
    } else {
        append(out, value_text(value));
    }
    return out;
}

LateText render(const TextTemplate& text, const Scope& scope) {
    LateText out = render_unchecked(text, scope);
    within(text.source().substr(0, 200), [&] { check_string(out, 1, "the value"); });
    return out;
}

std::vector<LateText> render_arguments(const std::vector<TextTemplate>& arguments, const Scope& scope) {
    std::vector<LateText> out;
    for (const TextTemplate& argument : arguments) {
        if (!argument.is_spread()) {
            out.push_back(render(argument, scope));
            continue;
        }
        const Expression& expression = std::get<Expression>(argument.parts().front());
        const Value list = expression.evaluate(scope);
        within(expression.text(), [&] {
            if (!list.is_list()) {
                throw Error(ExitCode::invalid, fmt::format("'*' needs a list, not {}", list.type_name()));
            }
            for (const Value& entry : list.as_list()) {
                out.push_back(late_text(entry));
                check_string(out.back(), 1, "the value");
            }
        });
    }
    return out;
}

RenderedCommand render_command(const ShellCommand& command, const Scope& scope) {
    RenderedCommand out;
    for (const TextTemplate::Part& part : command.script()) {
        if (const auto* expression = std::get_if<Expression>(&part)) {
            append(out.script,
                   within(expression->text(), [&] { return late_text(expression->evaluate(scope)); }));
        } else {
            append(out.script, std::get<std::string>(part));
        }
    }
    check_string(out.script, 1, "the script");
    for (const auto& [name, expression] : command.variables()) {
        out.variables.emplace_back(name, within(expression.text(), [&] {
                                       LateText text = late_text(expression.evaluate(scope));
                                       check_string(text, name.size() + 2, "the value");
                                       return text;
                                   }));
    }
    return out;
}

}  // namespace amp
