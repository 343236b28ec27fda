#pragma once

#include <string>

#include "cli/output.hpp"
#include "core/ports/clock.hpp"
#include "core/run/observer.hpp"

namespace amp {

/// --events=ndjson: a JSON line an event on standard output, each {schema: amp.event/1, event, at, …}.
class EventLines : public RunObserver {
  public:
    EventLines(Output& out, Clock& clock) : out_(out), clock_(clock) {}

    void run_waits(const std::string& run, const std::string& behind) override;
    void run_attached(const std::string& run, const Plan& plan) override;
    void run_started(const std::string& run, bool resumed) override;
    void note(const std::string& text) override;
    void task_queued(const TaskName& task, const std::string& reason) override;
    void task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) override;
    void task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) override;
    void task_skipped(const TaskName& task) override;
    void task_reused(const TaskName& task, const std::string& made_by) override;
    void task_waits(const TaskName& task, const std::string& what) override;
    void progress(const Plan& plan) override;
    void run_ended(RunState state, bool interrupted, const Plan* plan) override;

  private:
    void event(std::string_view name, Object fields);

    Output& out_;
    Clock& clock_;
    std::string run_;
};

}  // namespace amp
