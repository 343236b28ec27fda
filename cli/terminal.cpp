#include "cli/terminal.hpp"

#include <charconv>

#include "core/base/text.hpp"

namespace amp {
namespace {

std::string_view variable(const Environment& environment, std::string_view name) {
    const auto it = environment.find(name);
    return it == environment.end() ? std::string_view() : std::string_view(it->second);
}

bool is_on(std::string_view value) {
    return !value.empty() && value != "0" && value != "false";
}

bool use_color(ColorMode mode, const Environment& environment, bool is_tty) {
    if (mode != ColorMode::automatic) {
        return mode == ColorMode::always;
    }
    if (!variable(environment, "NO_COLOR").empty()) {
        return false;
    }
    if (is_on(variable(environment, "CLICOLOR_FORCE")) || is_on(variable(environment, "FORCE_COLOR"))) {
        return true;
    }
    const bool off = variable(environment, "FORCE_COLOR") == "0" ||
                     variable(environment, "CLICOLOR") == "0" || variable(environment, "TERM") == "dumb";
    return is_tty && !off;
}

bool speaks_utf8(const Environment& environment) {
    for (const std::string_view name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string value = lower(variable(environment, name));
        if (!value.empty()) {
            return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
        }
    }
    return false;
}

/// The length of the colour sequence that `text` begins with; 0: none.
std::size_t color_sequence(std::string_view text) {
    if (!text.starts_with("\x1b[")) {
        return 0;
    }
    const std::size_t end = text.find_first_not_of("0123456789;:", 2);
    return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

Presentation decide_presentation(ColorMode mode, const Environment& environment, const TerminalFacts& facts) {
    const bool forced = environment.find("AMP_FORCE_TTY") != environment.end();
    Presentation out;
    out.out_is_tty = facts.out_is_tty || forced;
    out.color_out = use_color(mode, environment, out.out_is_tty);
    out.color_err = use_color(mode, environment, facts.err_is_tty || forced);
    out.unicode = speaks_utf8(environment);
    out.ci = is_on(variable(environment, "CI"));
    const std::string_view columns = variable(environment, "AMP_FORCE_TTY");
    std::size_t number = 0;
    const auto [end, failed] = std::from_chars(columns.data(), columns.data() + columns.size(), number);
    if (failed == std::errc() && end == columns.data() + columns.size() && number > 1) {
        out.forced_width = number;
    }
    if (out.out_is_tty) {
        constexpr std::size_t k_usual_width = 80;
        out.width = out.forced_width > 0 ? out.forced_width
                    : facts.columns > 0  ? facts.columns
                                         : k_usual_width;
    }
    const std::string_view terminal = variable(environment, "TERM");
    if (!out.ci && (facts.err_is_tty || forced)) {
        const bool dumb = terminal == "dumb" || (terminal.empty() && !forced);
        out.progress = is_notebook(environment, facts.in_ipykernel) ? Presentation::Progress::notebook
                       : dumb                                       ? Presentation::Progress::lines
                                                                    : Presentation::Progress::live;
    }
    return out;
}

bool is_notebook(const Environment& environment, bool in_ipykernel) {
    return !variable(environment, "JPY_PARENT_PID").empty() ||
           !variable(environment, "JPY_SESSION_NAME").empty() ||
           (in_ipykernel && !variable(environment, "VSCODE_PID").empty());
}

std::string Style::paint(std::string_view code, std::string_view text) const {
    if (!color_ || text.empty()) {
        return std::string(text);
    }
    std::string out = "\x1b[";
    out += code;
    out += 'm';
    out += text;
    out += "\x1b[0m";
    return out;
}

std::string Style::state(std::string_view state, std::string_view text) const {
    if (state == "succeeded" || state == "cached") {
        return green(text);
    }
    if (state == "failed" || state == "blocked") {
        return red(text);
    }
    if (state == "caught" || state == "cancelled" || state == "interrupted" || state == "retrying") {
        return yellow(text);
    }
    return state == "running" ? cyan(text) : std::string(text);
}

std::string safe_for_terminal(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t next = std::min(text.find_first_of("\x1b\r"), text.size());
        out += printable(text.substr(0, next));
        text.remove_prefix(next);
        if (text.empty()) {
            break;
        }
        const std::size_t sequence = text.front() == '\r' ? 1 : color_sequence(text);
        out += sequence > 0 ? std::string(text.substr(0, sequence)) : printable(text.substr(0, 1));
        text.remove_prefix(sequence > 0 ? sequence : 1);
    }
    return out;
}

}  // namespace amp
