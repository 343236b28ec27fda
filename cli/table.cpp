#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

bool begins_code_point(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::string one_line(std::string_view text) {
    std::string out = printable(text);
    std::replace(out.begin(), out.end(), '\n', ' ');
    std::replace(out.begin(), out.end(), '\t', ' ');
    return out;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

std::string cut(std::string_view text, std::size_t width, bool unicode) {
    if (display_width(text) <= width) {
        return std::string(text);
    }
    const std::string_view mark = unicode ? "…" : "...";
    const std::size_t keep = width - std::min(width, display_width(mark));
    std::size_t seen = 0;
    std::size_t end = 0;
    while (end < text.size() && (seen < keep || !begins_code_point(text[end]))) {
        seen += end + 1 == text.size() || begins_code_point(text[end + 1]) ? 1 : 0;
        ++end;
    }
    return std::string(text.substr(0, keep == 0 ? 0 : end)) + std::string(mark);
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
        digits.insert(digits.size() - from_end, ",");
    }
    return digits;
}

void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
        cell = one_line(cell);
    }
    rows_.push_back(std::move(cells));
}

std::string Table::text(const Presentation& presentation) const {
    std::vector<std::size_t> widths;
    for (const Column& column : columns_) {
        widths.push_back(display_width(column.title));
    }
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    std::string out;
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.push_back(column.title);
    }
    append_row(out, titles, widths, presentation, true);
    for (const auto& row : rows_) {
        append_row(out, row, widths, presentation, false);
    }
    return out;
}

void Table::append_row(std::string& out, const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths, const Presentation& presentation,
                       bool title) const {
    const Style style(presentation.color_out);
    std::string line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool last = i + 1 == cells.size();
        std::string cell = cells[i];
        if (last && presentation.width > 0) {
            constexpr std::size_t k_least = 8;
            cell = cut(cell, std::max(k_least, presentation.width - std::min(used, presentation.width)),
                       presentation.unicode);
        }
        const std::size_t length = display_width(cell);
        const std::string gap(widths[i] - std::min(widths[i], length), ' ');
        const std::string painted = title                ? style.bold(cell)
                                    : i == state_column_ ? style.state(cell, cell)
                                                         : cell;
        line += columns_[i].align == Align::right ? gap + painted : last ? painted : painted + gap;
        line += last ? "" : "  ";
        used += widths[i] + 2;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
}

}  // namespace amp
