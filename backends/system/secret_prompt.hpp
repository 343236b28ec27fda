#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace amp {

/// Asks the user at the terminal for one line that is not shown while it is typed. nullopt when there is
/// nobody to ask: standard input or standard error is no terminal, or we are not in its foreground.
/// @throws Error(interrupted) on Ctrl-C, Error(terminated) when the terminal goes away or Ctrl-D is typed
std::optional<std::string> prompt_for_secret(std::string_view question);

}  // namespace amp
