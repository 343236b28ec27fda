#include "core/flow/shell_lexer_hints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_shown = 160;

std::string braces(std::string_view inner) {
    return fmt::format("{{{{ {} }}}}", inner);
}

/// The line of the script with [from, to) replaced by `text`, cut around the change.
std::string mended(const WrittenSlot& slot, std::size_t from, std::size_t to, std::string_view text) {
    const std::string_view source = slot.source;
    const std::size_t line_begin = from == 0 ? 0 : source.rfind('\n', from - 1) + 1;
    const std::size_t line_end = std::min(source.find('\n', to), source.size());
    std::string_view before = source.substr(line_begin, from - line_begin);
    before.remove_prefix(std::min(before.find_first_not_of(" \t"), before.size()));
    std::string_view after = source.substr(to, line_end - to);
    std::string out;
    if (before.size() > k_shown) {
        out = "…";
        before.remove_prefix(before.size() - k_shown / 2);
    }
    out += before;
    out += text;
    out += after.substr(0, k_shown);
    return out + (after.size() > k_shown ? "…" : "");
}

/// The construct with other ends.
std::string rewrapped(const WrittenSlot& slot, std::string_view open, std::string_view close) {
    const std::string_view inner =
        slot.source.substr(slot.construct_begin + 1, slot.construct_end - slot.construct_begin - 2);
    return mended(slot, slot.construct_begin, slot.construct_end, fmt::format("{}{}{}", open, inner, close));
}

/// The slot set apart from the single quotes around it.
std::string unquoted(const WrittenSlot& slot, std::string_view reopen) {
    return mended(slot, slot.begin, slot.end, fmt::format("'{}{}", braces(slot.expression), reopen));
}

std::string single_quotes(const WrittenSlot& slot) {
    const bool known = slot.construct_end > slot.construct_begin + 2;
    const std::string_view quoted =
        known ? slot.source.substr(slot.construct_begin + 1, slot.construct_end - slot.construct_begin - 2)
              : "";
    // Double quotes read better, but only where nothing within means something else there.
    std::size_t expression = slot.begin - slot.construct_begin - 1;
    std::string text(quoted);
    if (known && expression < text.size()) {
        text.erase(expression, slot.end - slot.begin);
    }
    const bool simple = known && text.find_first_of("\"$`\\!\n") == std::string::npos;
    return simple ? fmt::format("use double quotes: {}", rewrapped(slot, "\"", "\""))
                  : fmt::format("close the quotes around it: {}", unquoted(slot, "'"));
}

/// What stands before: an assignment of its own, to be used instead.
std::string set_before(const WrittenSlot& slot, std::string_view value, std::string_view use) {
    return fmt::format("set a variable before, and use it here:\nvalue={}\n{}", value,
                       mended(slot, slot.begin, slot.end, use));
}

std::string integer_before(const WrittenSlot& slot, std::string_view use = "value") {
    return set_before(slot, braces(fmt::format("int({})", slot.expression)), use) +
           "\n(int() lets nothing but a number through; or compute it all within {{ }})";
}

/// Does something that the shell evaluates stand before the slot in its here-document? Then the value might
/// be computed with, or run.
bool may_be_evaluated(const WrittenSlot& slot) {
    const std::string_view before = slot.source.substr(0, slot.begin).substr(slot.construct_begin);
    return before.find_first_of("`") != std::string_view::npos ||
           before.find("$(") != std::string_view::npos || before.find("$[") != std::string_view::npos ||
           before.find("${") != std::string_view::npos;
}

std::string before_document(const WrittenSlot& slot) {
    return may_be_evaluated(slot) ? integer_before(slot, "${value}")
                                  : set_before(slot, braces(slot.expression), "${value}");
}

/// A name that was looked at before the shell gets it.
std::string checked_name(const WrittenSlot& slot) {
    return fmt::format(
        "write the name out, or check it before:\nname={}\ncase $name in '' | *[!A-Za-z0-9_]*) exit 2 ;; "
        "esac\n{}",
        braces(slot.expression), mended(slot, slot.begin, slot.end, "${name}"));
}

std::string subscript(const WrittenSlot& slot) {
    if (slot.source.substr(slot.construct_begin).starts_with("${")) {
        return integer_before(slot, "$value");
    }
    // `$name[…`: only zsh takes it for a subscript, and braces tell it not to.
    std::size_t name = slot.construct_begin;
    while (name > 0 && std::string_view(" \t\n$(").find(slot.source[name - 1]) == std::string_view::npos) {
        --name;
    }
    const bool bracket = slot.source.substr(slot.construct_begin).starts_with('[');
    if (bracket && name > 0 && slot.source[name - 1] == '$') {
        return fmt::format(
            "put the name in braces: {}",
            mended(slot, name, slot.construct_begin,
                   fmt::format("{{{}}}", slot.source.substr(name, slot.construct_begin - name))));
    }
    return integer_before(slot);
}

std::string comparison(const WrittenSlot& slot) {
    const std::string_view source = slot.source;
    const std::size_t open = source.rfind("[[", slot.begin);
    const std::size_t close = source.find("]]", slot.end);
    const bool known = open != std::string_view::npos && close != std::string_view::npos;
    const std::string_view inner = known ? source.substr(open, close - open) : "";
    if (!known || inner.find_first_of("&|<>=(*?") != std::string_view::npos) {
        return "use [ … ] instead of [[ … ]]";
    }
    return fmt::format(
        "use [ … ]: {}",
        mended(slot, open, close + 2, fmt::format("[{}]", source.substr(open + 2, close - open - 2))));
}

std::string name(const WrittenSlot& slot) {
    const std::string_view construct = slot.source.substr(slot.construct_begin);
    if (construct.starts_with("${") || construct.starts_with("[[")) {
        return "write the name out, or write raw(…) where the value is a checked name";
    }
    const std::size_t word = slot.source.find_last_of(" \t\n;&|(", slot.begin);
    const std::size_t begin = word == std::string_view::npos || slot.begin == 0 ? 0 : word + 1;
    const std::size_t equals = std::min(slot.source.find('=', slot.end), slot.source.size());
    if (slot.source.find_first_of(" \t\n", slot.end) < equals || equals == slot.source.size()) {
        return "write the name out, or write raw(…) where the value is a checked name";
    }
    return fmt::format("set it for one command: {}", mended(slot, begin, begin, "env "));
}

/// Where the shell replaces nothing, or not as data.
ShellMistake explain_text(ShellSlot::Context context, const WrittenSlot& slot) {
    using Context = ShellSlot::Context;
    const std::string shown = braces(slot.expression.substr(0, 60));
    switch (context) {
        case Context::single_quotes:
            return {"AMP1202",
                    fmt::format("{} stands in single quotes, where the shell replaces nothing", shown),
                    single_quotes(slot)};
        case Context::comment:
            return {
                "AMP1203", fmt::format("{} stands in a comment", shown),
                fmt::format("leave the braces out: {}", mended(slot, slot.begin, slot.end, slot.expression))};
        case Context::here_document:
            return {"AMP1204", fmt::format("{} stands in a here-document", shown), before_document(slot)};
        case Context::here_document_quoted:
            return {"AMP1204",
                    fmt::format("{} stands in a here-document, where the shell replaces nothing", shown),
                    before_document(slot) + "\nand write the delimiter without quotes"};
        case Context::here_delimiter:
            return {"AMP1204", fmt::format("{} stands in the delimiter of a here-document", shown),
                    "write the delimiter out"};
        case Context::ansi_quotes:
            return {"AMP1205", fmt::format("{} stands in $'…', where the shell replaces nothing", shown),
                    fmt::format("close the quotes around it: {}", unquoted(slot, "$'"))};
        default:
            return {};
    }
}

}  // namespace

ShellMistake explain(ShellSlot::Context context, const WrittenSlot& slot) {
    using Context = ShellSlot::Context;
    const std::string shown = braces(slot.expression.substr(0, 60));
    switch (context) {
        case Context::backquotes:
            return {"AMP1206",
                    fmt::format("{} stands in backquotes, whose text the shell reads twice", shown),
                    slot.construct_end > slot.construct_begin + 1
                        ? fmt::format("use $(…): {}", rewrapped(slot, "$(", ")"))
                        : "use $(…)"};
        case Context::parameter:
            return {"AMP1207", fmt::format("{} stands in ${{…}}", shown),
                    set_before(slot, braces(slot.expression), "$value")};
        case Context::arithmetic:
            return {
                "AMP1208",
                fmt::format("{} stands in arithmetic, where the shell would run what the value says", shown),
                integer_before(slot)};
        case Context::subscript:
            return {"AMP1208",
                    fmt::format(
                        "{} stands in a subscript or slice, where the shell would run what the value says",
                        shown),
                    subscript(slot)};
        case Context::comparison:
            return {"AMP1208",
                    fmt::format(
                        "{} is compared as a number in [[ ]], where the shell would run what the value says",
                        shown),
                    comparison(slot)};
        case Context::after_backslash:
            return {"AMP1209", fmt::format("a backslash stands before {}", shown),
                    fmt::format("leave it out: {}", mended(slot, slot.begin - 1, slot.begin, ""))};
        case Context::after_dollar:
            return {"AMP1209", fmt::format("a '$' stands before {}", shown),
                    fmt::format("leave it out, or write \\$ for the sign itself: {}",
                                mended(slot, slot.construct_begin, slot.begin, ""))};
        case Context::name:
            return {"AMP1210", fmt::format("{} stands where the shell wants a name", shown), name(slot)};
        default:
            return explain_text(context, slot);
    }
}

ShellMistake explain_use(ShellSlot::Context use, const WrittenSlot& slot) {
    using Context = ShellSlot::Context;
    const std::string shown = braces(slot.expression.substr(0, 60));
    const std::string value = braces(slot.expression);
    switch (use) {
        case Context::arithmetic:
            return {"AMP1208",
                    fmt::format("{} is computed here, where the shell would run what the value says", shown),
                    fmt::format(
                        "int() lets nothing but a number through: {}",
                        mended(slot, slot.begin, slot.end, braces(fmt::format("int({})", slot.expression))))};
        case Context::name:
            return {"AMP1210",
                    fmt::format("{} stands where the shell wants a name, and would run what the value says",
                                shown),
                    checked_name(slot)};
        case Context::option:
            return {"AMP1210",
                    fmt::format("{} could be an option here, such as `-v` that names a variable", shown),
                    fmt::format("end the options before it: {}",
                                mended(slot, slot.construct_begin, slot.construct_begin, "-- "))};
        case Context::program:
            return {
                "AMP1214", fmt::format("{} stands in a program that another shell reads as code", shown),
                fmt::format("give it as an argument, and name it in single quotes:\nbash -c 'echo \"$1\"' "
                            "_ {}",
                            value)};
        case Context::twice:
            return {"AMP1214", fmt::format("{} stands behind >&, whose word bash reads twice", shown),
                    fmt::format("redirect in two steps: >{} 2>&1", value)};
        default:
            return {"AMP1214", fmt::format("{} stands in a text that the shell reads again as code", shown),
                    fmt::format("set a variable before, and name it in single quotes:\nvalue={}\ntrap 'echo "
                                "\"$value\"' EXIT",
                                value)};
    }
}

}  // namespace amp
