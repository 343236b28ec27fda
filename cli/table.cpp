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
    Layout layout = natural();
    if (presentation.width > 0) {
        leave_out(layout, presentation.width);
        fit(layout, presentation.width);
    }
    std::string out;
    std::vector<std::string> titles;
    for (const Column& column : columns_) {
        titles.push_back(column.title);
    }
    append_row(out, titles, layout, presentation, true);
    for (const auto& row : rows_) {
        append_row(out, row, layout, presentation, false);
    }
    return out;
}

Table::Layout Table::natural() const {
    Layout layout;
    for (const Column& column : columns_) {
        layout.shown.push_back(layout.shown.size());
        layout.widths.push_back(display_width(column.title));
    }
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            layout.widths[i] = std::max(layout.widths[i], display_width(row[i]));
        }
    }
    return layout;
}

/// Of the column at this place of those that are shown.
std::size_t Table::least_width(const Layout& layout, std::size_t at) const {
    const std::size_t i = layout.shown[at];
    if (at == 0 || i == state_column_ || columns_[i].align == Align::right || columns_[i].whole) {
        return layout.widths[i];
    }
    const bool last = at + 1 == layout.shown.size();
    return std::min(layout.widths[i], last ? k_least : std::max(k_least, display_width(columns_[i].title)));
}

bool Table::is_empty(std::size_t column) const {
    return std::all_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row[column].empty(); });
}

/// What is empty goes before all else.
int Table::spare_of(std::size_t column) const {
    constexpr int k_first = 1000;
    const int spare = columns_[column].spare;
    return spare > 0 && is_empty(column) ? k_first + spare : spare;
}

void Table::leave_out(Layout& layout, std::size_t width) const {
    std::vector<int> spare;
    for (const std::size_t i : layout.shown) {
        spare.push_back(spare_of(i));
    }
    while (true) {
        std::size_t used = 0;
        std::size_t next = 0;
        for (std::size_t at = 0; at < layout.shown.size(); ++at) {
            used += (at == 0 ? 0 : 2) + least_width(layout, at);
            next = spare[layout.shown[at]] > spare[layout.shown[next]] ? at : next;
        }
        if (used <= width || spare[layout.shown[next]] == 0) {
            return;
        }
        layout.shown.erase(layout.shown.begin() + static_cast<std::ptrdiff_t>(next));
    }
}

void Table::fit(Layout& layout, std::size_t width) const {
    const std::size_t last = layout.shown.size() - 1;
    for (;;) {
        std::size_t used = least_width(layout, last);
        std::size_t widest = last;
        for (std::size_t at = 0; at < last; ++at) {
            const std::size_t i = layout.shown[at];
            used += layout.widths[i] + 2;
            const bool may = layout.widths[i] > least_width(layout, at) &&
                             (widest == last || layout.widths[i] > layout.widths[layout.shown[widest]]);
            widest = may ? at : widest;
        }
        if (used <= width || widest == last) {
            return;
        }
        --layout.widths[layout.shown[widest]];
    }
}

void Table::append_row(std::string& out, const std::vector<std::string>& cells, const Layout& layout,
                       const Presentation& presentation, bool title) const {
    const Style style(presentation.color_out);
    std::string line;
    std::size_t used = 0;
    for (const std::size_t i : layout.shown) {
        const bool last = i == layout.shown.back();
        std::string cell = cells[i];
        if (!last) {
            cell = cut(cell, layout.widths[i], presentation.unicode);
        } else if (presentation.width > 0 &&
                   least_width(layout, layout.shown.size() - 1) < layout.widths[i]) {
            cell = cut(cell, std::max(k_least, presentation.width - std::min(used, presentation.width)),
                       presentation.unicode);
        }
        const std::size_t length = display_width(cell);
        const std::string gap(layout.widths[i] - std::min(layout.widths[i], length), ' ');
        const std::string painted = title                ? style.bold(cell)
                                    : i == state_column_ ? style.state(cell, cell)
                                                         : cell;
        const bool right = columns_[i].align == Align::right;
        line += right ? gap + painted : last ? painted : painted + gap;
        line += last ? "" : "  ";
        used += last ? (right ? gap.size() : 0) + length : layout.widths[i] + 2;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    const std::string_view mark = presentation.unicode ? " …" : " ...";
    const bool left_out = layout.shown.size() < columns_.size();
    if (title && left_out && used + display_width(mark) <= presentation.width) {
        line += mark;
    }
    out += line + "\n";
}

}  // namespace amp
