#pragma once

#include <string>
#include <string_view>

namespace amp {

/// Two lower-case digits a byte.
std::string to_hex(std::string_view bytes);
/// @throws Error(mismatch)
std::string from_hex(std::string_view text);

}  // namespace amp
