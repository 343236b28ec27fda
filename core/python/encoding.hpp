#pragma once

#include <string_view>

#include "core/flow/diagnostic.hpp"

namespace amp::python {

/// Whether the text can be read at all: not too large, UTF-8, and not said to be anything else by a coding
/// comment. If not, that is told.
bool check_encoding(std::string_view text, Diagnostics& diagnostics);

}  // namespace amp::python
