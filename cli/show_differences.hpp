#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "core/base/value.hpp"
#include "core/run/compare.hpp"
#include "core/run/why.hpp"

namespace amp {

/// Lines that say which parts of a definition differ, and where.
std::string differences_text(const std::vector<DefinitionDifference>& differences, bool unicode);
Value differences_document(const std::vector<DefinitionDifference>& differences);

/// @param details what to say besides of a failed task, whole lines
std::string why_text(const WhyReport& report, const Presentation& presentation,
                     const std::function<std::string(const WhyAnswer&)>& details = {});
/// Schema amp.why/1.
Value why_document(const WhyReport& report);

std::string diff_text(const RunDifference& difference, const Presentation& presentation);
/// Schema amp.diff/1.
Value diff_document(const RunDifference& difference);

/// @param all also the columns that are the same in all runs
std::string comparison_table(const Comparison& comparison, bool all, const Presentation& presentation);
/// All columns, as RFC 4180 says.
std::string comparison_csv(const Comparison& comparison, bool at_terminal);
/// For --plain: run, state, created, seconds, and the columns of comparison_csv.
std::string comparison_plain(const Comparison& comparison);
/// Schema amp.comparison/1.
Value comparison_document(const Comparison& comparison);

}  // namespace amp
