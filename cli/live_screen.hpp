#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// The lines at the bottom of a terminal that are drawn again and again, as the bytes to write: what it gives
/// is to be written at once, and leaves the cursor, visible, at the start of the line below the region. So
/// whoever stops us, or writes in between, finds a terminal in order.
class LiveScreen {
  public:
    /// @param single_line without moving the cursor but by \r: where nothing else is understood
    explicit LiveScreen(bool single_line) : single_line_(single_line) {}

    /// Turns what is shown into `lines`. A terminal of another width than before has wrapped what was shown.
    std::string draw(std::vector<std::string> lines, std::size_t columns);
    /// `text`, whole lines, above the region.
    std::string above(std::string_view text);
    std::string erase();
    bool shows() const { return !lines_.empty(); }
    /// Somebody else wrote meanwhile: what was shown stays where it is.
    void forget() { lines_.clear(); }

  private:
    std::string go_up(std::size_t columns) const;

    bool single_line_;
    std::size_t columns_ = 0;
    std::vector<std::string> lines_;
};

/// The columns that a line with colours (SGR) takes.
std::size_t painted_width(std::string_view line);

}  // namespace amp
