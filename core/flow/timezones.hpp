#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace amp {

/// Is it a zone, or another name of one, of IANA's tz database? A list of our own: a flow is as right on a
/// machine that has no zones.
bool is_timezone(std::string_view name);
/// What was meant: the city alone, other capitals, a slip. nullopt: nothing is near.
std::optional<std::string> nearest_timezone(std::string_view name);

}  // namespace amp
