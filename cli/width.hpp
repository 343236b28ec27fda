#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace amp {

/// The columns that `text` (UTF-8, without control characters) takes on a terminal: wide characters two,
/// combining ones none.
std::size_t display_width(std::string_view text);
/// `text` in at most `width` columns, its end replaced by "…" or "...".
std::string cut(std::string_view text, std::size_t width, bool unicode);
/// The same with its middle replaced: beginnings and ends of names say most.
std::string cut_middle(std::string_view text, std::size_t width, bool unicode);

}  // namespace amp
