#pragma once

#include <string>
#include <vector>

#include "core/run/run_data.hpp"

namespace amp {

/// Where the results of a run may come from: which of its steps are simply given by its origin
/// (--only: all that is not named).
class Given {
  public:
    /// @param origin the run that this one goes on from; null: none, or it is gone
    Given(const RunData& data, const RunData* origin);

    /// Taken from the origin as it is, whatever its definition.
    bool is_given(StepId step) const { return step < given_.size() && given_[step]; }

    /// What the origin had decided. @throws Error(not_found) when it never came to that
    RunEvent answer(const Question& question, Timestamp now) const;
    /// The end of a task that is given. @throws Error(not_found) when the origin has none
    RunEvent result(TaskId task, Timestamp now) const;

  private:
    StepId theirs(StepId step) const;
    std::optional<TaskId> their_task(StepId step, const TaskIndex& index) const;

    const RunData& data_;
    const RunData* origin_;
    std::vector<bool> given_;
};

/// Was this step asked for, so that no result of the origin will do?
bool is_asked_for(const RunRecord& record, const std::string& step);

/// Has the origin whole results of all that `data`'s run takes from it?
/// @throws Error(not_found) naming what it lacks
void check_given(const RunData& data, const RunData& origin);

}  // namespace amp
