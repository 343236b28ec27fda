#pragma once

#include "core/run/inspect.hpp"
#include "core/run/run_data.hpp"

namespace amp {

/// What `amp runs` needs of an ended run, kept as summary.json so that listing opens no journals. A cache:
/// whoever drives the run removes it first and writes it last. The tags are not in it.
Value summary_value(const RunData& data, const RunEndRecord& end);
RunSummary summary_from(const Value& value);
/// Of a run that has no summary: from a view.
RunSummary summary_of(const RunView& view);

}  // namespace amp
