#pragma once

#include <string>
#include <utility>
#include <vector>

namespace amp {

enum class ColorMode { automatic, always, never };

/// What every command takes.
struct CommonOptions {
    bool json = false;
    bool quiet = false;
    int verbose = 0;
    ColorMode color = ColorMode::automatic;
    std::vector<std::string> overrides;  ///< --set a.b=c, in order
    std::string profile;                 ///< --profile or --on; empty: the project's default
};

using NameValues = std::vector<std::pair<std::string, std::string>>;

}  // namespace amp
