#pragma once

#include <string>

#include "cli/terminal.hpp"

namespace amp {

/// Puts /dev/null where our caller closed descriptor 0, 1 or 2: it would be given to the next file that we
/// open, and what we print would go there. Call first.
void hold_standard_descriptors();

/// @param variables as `environ`
Environment read_environment(char** variables);

TerminalFacts look_at_terminal();

/// $USER, else $LOGNAME, else the number.
std::string user_name(const Environment& environment);

}  // namespace amp
