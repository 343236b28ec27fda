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
/// not enough the widest of those between it and the first; numbers, states and titles never.
class Table {
  public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One cell a column; untrusted text is made printable, newlines too.
    void add(std::vector<std::string> cells);
    /// This column's cells name states, and are coloured so.
    void color_states(std::size_t column) { state_column_ = column; }
    bool empty() const { return rows_.empty(); }

    std::string text(const Presentation& presentation) const;

  private:
    void fit(std::vector<std::size_t>& widths, std::size_t width) const;
    void append_row(std::string& out, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths, const Presentation& presentation,
                    bool title) const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
    std::size_t state_column_ = static_cast<std::size_t>(-1);
};

}  // namespace amp
