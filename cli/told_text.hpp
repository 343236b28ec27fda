#pragma once

#include <string>

#include "core/run/inspect.hpp"

namespace amp {

/// What the tasks of a run told of themselves, and what was sampled of the others: those that run first, and
/// not too many. Empty, or it begins with an empty line.
std::string told_text(const RunView& view);

}  // namespace amp
