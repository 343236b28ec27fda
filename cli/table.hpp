#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.hpp"
#include "cli/width.hpp"

namespace amp {

/// 1234567 → "1,234,567".
std::string grouped(std::uint64_t number);

/// Text in columns, two blanks apart. Where a terminal is too narrow the last column is cut, and when that is
/// not enough the widest of those between it and the first; numbers, times, states and titles never. What
/// does not fit even so is left out, column by column, and a mark behind the titles says so.
class Table {
  public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
        int spare = 0;       ///< where there is no room the highest goes first; 0: it stays
        bool whole = false;  ///< a part of a cell would say nothing: a time
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One cell a column; untrusted text is made printable, newlines too.
    void add(std::vector<std::string> cells);
    /// This column's cells name states, and are coloured so.
    void color_states(std::size_t column) { state_column_ = column; }
    bool empty() const { return rows_.empty(); }

    std::string text(const Presentation& presentation) const;

  private:
    /// How it is laid out: which columns there is room for, and how wide each column is.
    struct Layout {
        std::vector<std::size_t> shown;
        std::vector<std::size_t> widths;
    };
    Layout natural() const;
    std::size_t least_width(const Layout& layout, std::size_t at) const;
    bool is_empty(std::size_t column) const;
    int spare_of(std::size_t column) const;
    void leave_out(Layout& layout, std::size_t width) const;
    void fit(Layout& layout, std::size_t width) const;
    void append_row(std::string& out, const std::vector<std::string>& cells, const Layout& layout,
                    const Presentation& presentation, bool title) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::size_t state_column_ = static_cast<std::size_t>(-1);
};

}  // namespace amp
