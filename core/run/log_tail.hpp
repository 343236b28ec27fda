#pragma once

#include <cstddef>
#include <string>

#include "core/ports/append_files.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// The end of what an attempt printed, of a gang that of the rank that failed first, in whole lines where it
/// had to be cut. A service: what cannot be read is left out, since the log itself says what is wrong with
/// it.
/// @param bytes at most so many
std::string log_tail(AppendFiles& files, const AttemptResult& result, std::size_t bytes);

}  // namespace amp
