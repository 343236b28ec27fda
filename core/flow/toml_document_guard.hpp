#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/diagnostic.hpp"

namespace amp::toml_guard {

/// Turns the library's places (columns in code points) into ours (columns in bytes) and offsets, in constant
/// time.
class PlaceMap {
  public:
    explicit PlaceMap(std::string_view text);

    std::size_t line_count() const { return line_starts_.size(); }
    /// The line without its end; lines count from 1.
    std::string_view line(std::uint32_t number) const;
    std::size_t line_start(std::uint32_t number) const;
    std::size_t offset(std::uint32_t line, std::uint32_t column_in_code_points) const;
    Place place_of(std::size_t offset) const;
    /// The same, without a search when it is in `likely_line`.
    Place place_of(std::size_t offset, std::uint32_t likely_line) const;

  private:
    std::string_view text_;
    std::vector<std::size_t> line_starts_;
    std::vector<std::size_t> line_code_points_;  ///< code points before each line; empty for pure ASCII
    std::vector<std::size_t> checkpoints_;       ///< offset of every 64th code point; empty for pure ASCII
};

/// What a look at brackets, quotes and dots tells, before the text is parsed.
struct Outline {
    std::optional<std::size_t> too_deep;    ///< offset of the first bracket or dot beyond the limit
    std::optional<std::size_t> open;        ///< offset of the bracket or quote that is never closed
    std::optional<std::size_t> mismatched;  ///< offset of the first closing bracket without its opening one
};
Outline outline(std::string_view text);

/// Reports what is too large, binary or nested too deeply. @return whether the text may be parsed
bool check(std::string_view text, const PlaceMap& places, Diagnostics& diagnostics);

/// Offset of the bracket or quote before the statement at `line` that was never closed and makes it look
/// wrong; nullopt: none.
std::optional<std::size_t> unclosed_before(std::string_view text, const PlaceMap& places, std::uint32_t line);

/// Overwrites the statement around `line` (a header with its whole section) by spaces, so that places stay.
/// @return false when there was nothing left to overwrite
bool blank_statement(std::string& text, const PlaceMap& places, std::uint32_t line);

/// A [table] of its own with those below it, where it stood: all around it are spaces.
struct Section {
    std::string text;
    std::size_t depth = 0;  ///< names in its header
};
/// Takes the section whose header is in `line` out of `text`, in which it is overwritten by spaces.
/// @return nullopt when there is no plain header
std::optional<Section> take_section(std::string& text, const PlaceMap& places, std::uint32_t line);

}  // namespace amp::toml_guard
