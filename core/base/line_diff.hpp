#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// A line of one text or of both; `text` is without its newline and a view into them.
struct LineChange {
    enum class Kind { same, removed, added };
    Kind kind = Kind::same;
    std::string_view text;
    std::size_t old_line = 0;  ///< from 1; of an added line: of the next one
    std::size_t new_line = 0;
};

/// What leads from one text to the other, by lines, with as few changes as possible (texts that differ in
/// more than 1,000 lines: one stretch for another).
std::vector<LineChange> diff_lines(std::string_view before, std::string_view after);

/// As `diff -u` writes it; empty when the texts are equal.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view old_name,
                         std::string_view new_name);

}  // namespace amp
