#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cli/live_frame.hpp"

namespace amp {

/// Of numbers, right of the bar.
inline constexpr std::size_t k_live_numbers = 6;

enum class LiveTone { plain, bold, faint, red, green, yellow, cyan };

struct LiveCell {
    std::string text;
    LiveTone tone = LiveTone::plain;
};

/// A line of the region: how far something is.
struct LiveRow {
    LiveCell mark;
    LiveCell name;
    double part = -1;  ///< of its bar; below 0: it has none
    bool failed = false;
    std::array<LiveCell, k_live_numbers> numbers = {};
};

/// Rows below each other, in less than a terminal's columns: what does not fit is left out, first the bar,
/// then numbers, those that say least first. What `before` says keeps its place.
class LiveRows {
  public:
    LiveRows(const std::vector<LiveRow>& rows, std::size_t columns, const Style& style, bool unicode,
             FrameWidths& before);
    std::string line(const LiveRow& row) const;

  private:
    std::string bar_text(const LiveRow& row) const;
    std::size_t used() const;

    Style style_;
    bool unicode_;
    std::size_t name_ = 0;
    std::size_t bar_ = 0;
    std::array<std::size_t, k_live_numbers> widths_{};
};

}  // namespace amp
