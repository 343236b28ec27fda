#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace amp {

/// Why `pattern` (ECMAScript, at most 512 bytes) is no regular expression; nullopt when it is one.
std::optional<std::string> pattern_mistake(std::string_view pattern);

/// Whether `pattern` is found in `text`; ^ and $ anchor it. Polynomial in time whatever the pattern; texts
/// over 4 KiB match nothing. A pattern that is none matches nothing.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace amp
