#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal.hpp"

namespace amp {

/// Puts /dev/null where our caller closed descriptor 0, 1 or 2: it would be given to the next file that we
/// open, and what we print would go there. Call first.
void hold_standard_descriptors();

/// @param variables as `environ`
Environment read_environment(char** variables);

TerminalFacts look_at_terminal(const Environment& environment);

/// Is there somebody who can answer a question? Not in CI, nor in a notebook, whose terminal only looks like
/// one.
bool may_ask(const Environment& environment);

/// $USER, else $LOGNAME, else the name in /etc/passwd, else the number.
std::string user_name(const Environment& environment);

/// The name that a text like /etc/passwd has for a number.
std::optional<std::string> name_in_passwd(std::string_view text, std::uint64_t uid);

}  // namespace amp
