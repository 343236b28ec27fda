#pragma once

#include <functional>

#include "cli/session.hpp"
#include "core/run/start.hpp"

namespace amp {

struct FollowOptions {
    bool events = false;      ///< a JSON line an event
    const NameValues& slips;  ///< parameters that look like a misspelt option
    bool task_exit = false;   ///< FollowChoice::task_exit
};

/// Drives a run by `drive` and tells of it as the options say: lines, JSON events, or one document at the
/// end.
ExitCode follow_run(Session& session, const FollowOptions& options,
                    const std::function<RunOutcome(Services&, const Project&, RunObserver&)>& drive);

/// A parameter that looks like a misspelt option, and that the refused flow does not have, is one.
/// @throws Error(usage)
void refuse_slips(const InvalidFlow& refused, const NameValues& slips);
/// Nothing is done, since another run of the flow is on.
ExitCode tell_skipped(Session& session, const std::string& other);

/// Schema amp.outcome/1: how driving a run ended.
Value outcome_document(const RunOutcome& outcome);

}  // namespace amp
