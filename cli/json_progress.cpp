#include "cli/json_progress.hpp"

#include <utility>

#include "cli/documents.hpp"

namespace amp {

void EventLines::event(std::string_view name, Object fields) {
    fields["schema"] = "amp.event/1";
    fields["event"] = name;
    fields["run"] = text_or_null(run_);
    fields["at"] = format_time(clock_.now());
    out_.line(std::move(fields));
}

void EventLines::run_waits(const std::string& run, const std::string& behind) {
    run_ = run;
    event("run_waits", Object{{"behind", behind}});
    out_.flush();
}

void EventLines::run_attached(const std::string& run, const Plan& plan) {
    run_ = run;
    event("run_attached", Object{{"state", state_name(plan.state())}});
    out_.flush();
}

void EventLines::run_started(const std::string& run, bool resumed) {
    run_ = run;
    event("run_started", Object{{"resumed", resumed}});
    out_.flush();
}

void EventLines::note(const std::string& text) {
    event("note", Object{{"text", text}});
}

void EventLines::task_queued(const TaskName& task, const std::string& reason) {
    event("task_queued", Object{{"task", task.text()}, {"reason", reason}});
}

void EventLines::task_started(const TaskName& task, std::uint32_t attempt, const std::string& where) {
    event("task_started",
          Object{{"task", task.text()}, {"attempt", std::int64_t{attempt}}, {"where", where}});
}

void EventLines::task_ended(const AttemptResult& result, TaskState state, std::optional<Timestamp> retry_at) {
    event("task_ended", Object{{"task", result.task.text()},
                               {"state", state_name(state)},
                               {"result", attempt_document(result)},
                               {"retry_at", time_or_null(retry_at)}});
}

void EventLines::task_skipped(const TaskName& task) {
    event("task_skipped", Object{{"task", task.text()}});
}

void EventLines::task_reused(const TaskName& task, const std::string& made_by) {
    event("task_reused", Object{{"task", task.text()}, {"made_by", text_or_null(made_by)}});
}

void EventLines::task_waits(const TaskName& task, const std::string& what) {
    event("task_waits", Object{{"task", task.text()}, {"for", what}});
}

void EventLines::progress(const Plan&) {
    out_.flush();  // after each batch of events, so that a reader sees them at once
}

void EventLines::run_ended(RunState state, bool interrupted, const Plan* /*plan*/) {
    event("run_ended", Object{{"state", interrupted ? "interrupted" : state_name(state)}});
    out_.flush();
}

}  // namespace amp
