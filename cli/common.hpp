#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace amp {

enum class ColorMode { automatic, always, never };

/// What every command takes.
struct CommonOptions {
    bool json = false;                  ///< also where something is selected
    std::optional<std::string> select;  ///< --select: what to print of the document
    bool plain = false;                 ///< lists: a record a line, tabs between; nothing that moves
    bool no_input = false;              ///< ask nobody
    bool quiet = false;
    ColorMode color = ColorMode::automatic;
    std::vector<std::string> overrides;  ///< --set a.b=c, in order
    std::string profile;                 ///< --profile or --on; empty: the project's default
};

/// What commands that list take.
struct ListChoice {
    std::size_t limit = 0;  ///< 0: all
    std::string since;      ///< a time, a date, or how long ago: "2d"
};

using NameValues = std::vector<std::pair<std::string, std::string>>;

}  // namespace amp
