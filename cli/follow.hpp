#pragma once

#include <functional>

#include "cli/session.hpp"
#include "core/run/start.hpp"

namespace amp {

/// Drives a run by `drive` and tells of it as the options say: lines, JSON events, or one document at the
/// end.
ExitCode follow_run(Session& session, bool events,
                    const std::function<RunOutcome(Services&, const Project&, RunObserver&)>& drive);

/// Schema amp.outcome/1: how driving a run ended.
Value outcome_document(const RunOutcome& outcome);

}  // namespace amp
