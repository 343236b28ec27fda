#pragma once

#include <string>

namespace amp {

/// All of it. @throws Error when it cannot be read
std::string read_standard_input();

}  // namespace amp
