#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "cli/output.hpp"
#include "core/base/error.hpp"
#include "core/base/value.hpp"
#include "core/flow/diagnostic.hpp"

namespace amp {

/// The one place where what was thrown becomes text and an exit code: text on standard error; with `json`
/// also a document (schema amp.error/1) on standard output, unless a result is there already; among documents
/// that are one a line it is one more.
ExitCode report(Output& out, const std::exception& thrown, bool json);

/// What was thrown, as the one type of errors.
Error as_error(const std::exception& thrown);

/// error: MESSAGE / --> WHERE / help: HINT
std::string error_text(const Error& error, const Style& style);
/// All findings as text, for people, with colour for the first words of their lines.
std::string diagnostics_text(const Diagnostics& diagnostics, std::string_view file, std::string_view source,
                             const Style& style);
/// [{code, severity, message, file, line, …}]
Value diagnostics_value(const Diagnostics& diagnostics, std::string_view file, std::string_view source);
/// "2 errors and 1 warning"
std::string count_findings(const Diagnostics& diagnostics);

}  // namespace amp
