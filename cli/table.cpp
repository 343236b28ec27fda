#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/run_text.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

/// A column is cut to no less.
constexpr std::size_t k_least = 8;

}  // namespace

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
    if (presentation.width > 0) {
        fit(widths, presentation.width);
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

void Table::fit(std::vector<std::size_t>& widths, std::size_t width) const {
    const std::size_t last = widths.size() - 1;
    for (;;) {
        std::size_t used = std::min(widths[last], k_least);
        std::size_t widest = last;
        for (std::size_t i = 0; i < last; ++i) {
            used += widths[i] + 2;
            const bool may = i > 0 && i != state_column_ && columns_[i].align == Align::left &&
                             widths[i] > std::max(k_least, display_width(columns_[i].title)) &&
                             (widest == last || widths[i] > widths[widest]);
            widest = may ? i : widest;
        }
        if (used <= width || widest == last) {
            return;
        }
        --widths[widest];
    }
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
        if (!last) {
            cell = cut(cell, widths[i], presentation.unicode);
        } else if (presentation.width > 0) {
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
