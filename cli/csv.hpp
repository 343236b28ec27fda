#pragma once

#include <string>

namespace amp {

/// A cell of a CSV, in quotes where it must be. At a terminal what it has of control characters is made
/// visible: who pipes it gets it as it is.
std::string csv_cell(const std::string& text, bool at_terminal);

}  // namespace amp
