#pragma once

#include <functional>

#include "cli/session.hpp"
#include "core/run/start.hpp"

namespace amp {

struct FollowOptions {
    bool events = false;      ///< a JSON line an event
    const NameValues& slips;  ///< parameters that look like a misspelt option: told when the run is refused
};

/// Drives a run by `drive` and tells of it as the options say: lines, JSON events, or one document at the
/// end.
ExitCode follow_run(Session& session, const FollowOptions& options,
                    const std::function<RunOutcome(Services&, const Project&, RunObserver&)>& drive);

/// Parameters that look like a misspelt option: said when a flow is refused.
void tell_slips(Session& session, const NameValues& slips);
/// Nothing is done, since another run of the flow is on.
ExitCode tell_skipped(Session& session, const std::string& other);

/// Schema amp.outcome/1: how driving a run ended.
Value outcome_document(const RunOutcome& outcome);

}  // namespace amp
