#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "cli/terminal.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

struct Services;
struct Project;

/// The last lines that an attempt printed; empty when there is none.
using LogTail = std::function<std::string(const AttemptResult&)>;

/// Reads them from the project's store.
LogTail make_log_tail(Services& services, const Project& project);

/// The last `most` lines of what an attempt printed, indented and safe for a terminal; without a newline
/// behind the last.
/// @param complete_start nothing stands before `text` in the log
std::string indented_tail(std::string_view text, std::size_t most, bool complete_start, const Style& style);

/// The same of an attempt; empty when there is nothing.
std::string indented_tail(const LogTail& tail, const AttemptResult& result, std::size_t most,
                          const Style& style);

}  // namespace amp
