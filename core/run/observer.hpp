#pragma once

#include <string>

#include "core/engine/plan.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// Hears what a run does, after it was journalled. Called from the driver's thread; must not block.
class RunObserver {
  public:
    virtual ~RunObserver() = default;
    /// It is recorded and driven, but another run of its flow is on: `behind`.
    virtual void run_waits(const std::string& /*run*/, const std::string& /*behind*/) {}
    /// It was begun by others, and is followed from here on.
    virtual void run_attached(const std::string& /*run*/, const Plan&) {}
    virtual void run_started(const std::string& /*run*/, bool /*resumed*/) {}
    virtual void note(const std::string& /*text*/) {}  ///< something that the user should know; once each
    virtual void task_queued(const TaskName&, const std::string& /*reason*/) {}
    virtual void task_started(const TaskName&, std::uint32_t /*attempt*/, const std::string& /*where*/) {}
    /// @param state succeeded, failed, caught, cancelled, or retrying (then another attempt comes at
    /// `retry_at`)
    virtual void task_ended(const AttemptResult&, TaskState /*state*/,
                            std::optional<Timestamp> /*retry_at*/) {}
    /// Before we came to a run that others drive: what task_ended() would have said with state failed.
    virtual void task_had_failed(const AttemptResult&) {}
    virtual void task_skipped(const TaskName&) {}
    /// @param made_by RUN/STEP/INDEX; empty: unknown
    virtual void task_reused(const TaskName&, const std::string& /*made_by*/) {}
    virtual void task_waits(const TaskName&, const std::string& /*what*/) {}
    /// After each batch of events: a good moment to redraw.
    virtual void progress(const Plan&) {}
    /// @param plan how far it came; nullptr: it never began
    virtual void run_ended(RunState, bool /*interrupted*/, const Plan* /*plan*/) {}
};

}  // namespace amp
