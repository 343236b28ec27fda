#include "cli/live_rows.hpp"

#include <algorithm>
#include <cmath>

#include "cli/width.hpp"

namespace amp {
namespace {

constexpr std::size_t k_least_bar = 8;  // shorter ones say nothing
constexpr std::size_t k_longest_bar = 30;
constexpr std::size_t k_gap = 2;

std::string painted(const Style& style, LiveTone tone, std::string_view text) {
    switch (tone) {
        case LiveTone::bold:
            return style.bold(text);
        case LiveTone::faint:
            return style.faint(text);
        case LiveTone::red:
            return style.red(text);
        case LiveTone::green:
            return style.green(text);
        case LiveTone::yellow:
            return style.yellow(text);
        case LiveTone::cyan:
            return style.cyan(text);
        case LiveTone::plain:
            break;
    }
    return std::string(text);
}

void append(std::string& out, const Style& style, LiveTone tone, const std::string& text, std::size_t width,
            bool right) {
    const std::string gap(width - std::min(width, display_width(text)), ' ');
    const std::string paint = painted(style, tone, text);
    out += right ? gap + paint : paint + gap;
}

std::string repeated(std::string_view what, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) {
        out += what;
    }
    return out;
}

}  // namespace

LiveRows::LiveRows(const std::vector<LiveRow>& rows, std::size_t columns, const Style& style, bool unicode,
                   FrameWidths& before)
    : style_(style), unicode_(unicode) {
    if (before.columns != columns) {
        before = {columns, 5, {}};
    }
    for (const LiveRow& row : rows) {
        before.name = std::max(before.name, display_width(row.name.text));
        for (std::size_t i = 0; i < k_live_numbers; ++i) {
            before.numbers.at(i) = std::max(before.numbers.at(i), display_width(row.numbers.at(i).text));
        }
    }
    name_ = before.name;
    widths_ = before.numbers;
    name_ = std::min(name_, std::max<std::size_t>(12, columns / 3));
    // What goes first says least: the rate, the time it took, what runs, the time left, the failed.
    for (const std::size_t spare : {3U, 4U, 1U, 5U, 2U}) {
        if (used() > columns) {
            widths_.at(spare) = 0;
        }
    }
    if (used() > columns) {
        name_ -= std::min(name_, used() - columns);
    }
    const std::size_t room = columns - std::min(columns, used() + k_gap);
    bar_ = room < k_least_bar ? 0 : std::min(room, k_longest_bar);
}

std::size_t LiveRows::used() const {
    std::size_t used = 2 + name_;  // the mark
    for (const std::size_t width : widths_) {
        used += width > 0 ? k_gap + width : 0;
    }
    return used;
}

/// Filled to its part, in full cells: half ones would flicker.
std::string LiveRows::bar_text(const LiveRow& row) const {
    const std::size_t filled =
        std::min(bar_, static_cast<std::size_t>(std::floor(row.part * static_cast<double>(bar_))));
    const LiveTone tone = row.failed ? LiveTone::red : filled == bar_ ? LiveTone::green : LiveTone::cyan;
    return painted(style_, tone, repeated(unicode_ ? "━" : "#", filled)) +
           painted(style_, LiveTone::faint, repeated(unicode_ ? "─" : "-", bar_ - filled));
}

std::string LiveRows::line(const LiveRow& row) const {
    std::string out = painted(style_, row.mark.tone, row.mark.text) + " ";
    append(out, style_, row.name.tone, cut_middle(row.name.text, name_, unicode_), name_, false);
    if (bar_ > 0) {
        out += "  " + (row.part >= 0 ? bar_text(row) : std::string(bar_, ' '));
    }
    for (std::size_t i = 0; i < k_live_numbers; ++i) {
        if (widths_.at(i) > 0) {
            out += "  ";
            append(out, style_, row.numbers.at(i).tone, row.numbers.at(i).text, widths_.at(i), true);
        }
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

}  // namespace amp
