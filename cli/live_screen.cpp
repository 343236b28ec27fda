#include "cli/live_screen.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/width.hpp"

namespace amp {
namespace {

constexpr std::string_view k_hide_cursor = "\x1b[?25l";
constexpr std::string_view k_show_cursor = "\x1b[?25h";
constexpr std::string_view k_clear_line_end = "\x1b[K";
constexpr std::string_view k_clear_below = "\x1b[J";

}  // namespace

std::size_t painted_width(std::string_view line) {
    std::size_t width = 0;
    while (!line.empty()) {
        const std::size_t escape = std::min(line.find('\x1b'), line.size());
        width += display_width(line.substr(0, escape));
        line.remove_prefix(escape);
        const std::size_t end = line.find('m');
        line.remove_prefix(std::min(end == std::string_view::npos ? end : end + 1, line.size()));
    }
    return width;
}

/// To the first line of what is shown.
std::string LiveScreen::go_up(std::size_t columns) const {
    std::size_t rows = 0;
    for (const std::string& line : lines_) {
        const std::size_t width = painted_width(line);
        rows += columns == 0 || width == 0 ? 1 : (width + columns - 1) / columns;
    }
    return rows == 0 ? std::string("\r") : fmt::format("\x1b[{}A\r", rows);
}

std::string LiveScreen::erase() {
    if (lines_.empty()) {
        return "";
    }
    std::string out = single_line_ ? "\r" + std::string(painted_width(lines_.front()), ' ') + "\r"
                                   : go_up(columns_) + std::string(k_clear_below);
    lines_.clear();
    return out;
}

std::string LiveScreen::draw(std::vector<std::string> lines, std::size_t columns) {
    if (single_line_) {
        lines.resize(1);
        const std::size_t before = lines_.empty() ? 0 : painted_width(lines_.front());
        const std::size_t now = painted_width(lines.front());
        lines_ = std::move(lines);
        return "\r" + lines_.front() + std::string(before - std::min(before, now), ' ');
    }
    std::string out(k_hide_cursor);
    if (columns != columns_) {
        out += lines_.empty() ? std::string() : go_up(columns) + std::string(k_clear_below);
        lines_.clear();
        columns_ = columns;
    }
    out += go_up(columns);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i >= lines_.size() || lines[i] != lines_[i]) {
            out += lines[i];
            out += k_clear_line_end;
        }
        out += "\r\n";
    }
    out += lines.size() < lines_.size() ? k_clear_below : "";
    out += k_show_cursor;
    lines_ = std::move(lines);
    return out;
}

std::string LiveScreen::above(std::string_view text) {
    if (lines_.empty()) {
        return std::string(text);
    }
    std::vector<std::string> lines = lines_;
    std::string out = erase();
    out += text;
    return out + draw(std::move(lines), columns_);
}

}  // namespace amp
