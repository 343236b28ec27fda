#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/run/run_data.hpp"

namespace amp {

/// May a task take over the result that a task of an earlier run has? Its definition must be equal, and all
/// that it needs must have been reused (or skipped).
struct Reuse {
    enum class Verdict {
        reused,
        unknown_there,  ///< the earlier run has no such task
        not_succeeded,  ///< it has, but without a result
        changed,        ///< its definition differs
        needs_ran,      ///< something that it needs runs again
        again  ///< it was asked for (--from, --only), or it is a clean-up step: those run at each end
    };
    Verdict verdict = Verdict::unknown_there;
    std::optional<TaskId> old;  ///< in the earlier run
    std::optional<StepId> ran;  ///< what it needs and runs again
};
Reuse find_reuse(const RunData& data, TaskId task, const std::string& definition, const RunData& origin);

/// The content of $AMP_FAILURES: what has failed so far.
Value failures_of(const RunData& data);

/// The task that has made a result of `origin` ("RUN/STEP/INDEX"): of another run, where it was taken over
/// itself.
std::string maker_of(const RunData& origin, TaskId task);

}  // namespace amp
