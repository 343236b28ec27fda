#include "core/flow/interpolation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/flow/functions.hpp"

namespace amp {
namespace {

/// The kernel's limit for one argument or variable (MAX_ARG_STRLEN), with its NUL.
constexpr std::size_t k_max_string = std::size_t{128} << 10;
constexpr std::string_view k_output_key = "$output";

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
    for (const auto& variable : command.variables()) {
        const Expression& expression = variable.second;
        const std::size_t around = variable.first.size() + 2;
        out.variables.emplace_back(variable.first, within(expression.text(), [&] {
                                       LateText text = late_text(expression.evaluate(scope));
                                       check_string(text, around, "the value");
                                       return text;
                                   }));
    }
    return out;
}

}  // namespace amp
