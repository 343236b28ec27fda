#include "cli/show_run.hpp"

#include <fmt/format.h>

#include <array>

#include "cli/run_text.hpp"
#include "cli/table.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_failures_told = 20;

std::string took_text(Timestamp from, Timestamp to) {
    return duration_text(to.seconds_since(from));
}

bool is_failure(TaskState state) {
    return state == TaskState::failed || state == TaskState::caught;
}

std::string code_text(const RunView& view) {
    std::string out = view.commit.substr(0, 12);
    out += view.dirty ? (out.empty() ? "dirty" : " (dirty)") : "";
    return out + (view.code_changed ? (out.empty() ? "" : ", ") + std::string("changed while it ran") : "");
}

std::string header(const RunView& view, const Style& style) {
    std::string out =
        fmt::format("run {}  {}", style.bold(printable(view.run)), style.state(view.state, view.state));
    out += view.caught > 0 ? fmt::format(" ({} caught)\n", view.caught) : "\n";
    const auto line = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            out += fmt::format("  {:<8} {}\n", name, printable(text));
        }
    };
    line("flow", view.flow);
    const std::string took = view.ended ? ", took " + took_text(view.created, *view.ended) : "";
    line("started", time_text(view.created) + took);
    line("by", view.host.empty() ? view.user : view.user + "@" + view.host);
    line("code", code_text(view));
    line("params", pairs_text(view.params));
    line("tags", join(view.tags, ", "));
    line("origin", view.origin);
    return out;
}

std::string steps_table(const RunView& view, const Presentation& presentation) {
    Table table({{"STEP"}, {"TASKS", Table::Align::right}, {"STATES"}});
    for (const StepView& step : view.steps) {
        table.add({step.name, grouped(count_all(step.counts)), counts_text(step.counts)});
    }
    return table.text(presentation);
}

std::string tasks_table(const RunView& view, const Presentation& presentation) {
    Table table({{"TASK"},
                 {"STATE"},
                 {"TRY", Table::Align::right},
                 {"EXIT", Table::Align::right},
                 {"STARTED"},
                 {"ENDED"},
                 {"TOOK", Table::Align::right},
                 {"ITEM"}});
    table.color_states(1);
    for (const TaskView& task : view.tasks) {
        const std::string item = task.item ? json::dump(*task.item) : "";
        const std::string state(state_name(task.state));
        const std::string attempt = task.attempt > 0 ? std::to_string(task.attempt) : "";
        if (task.running_since) {
            table.add({task.name.text(), state, attempt, "", clock_text(*task.running_since), "", "", item});
        } else if (!task.attempts.empty()) {
            const AttemptResult& last = task.attempts.back();
            table.add({task.name.text(), state, attempt, exit_text(last), clock_text(last.started),
                       clock_text(last.ended), took_text(last.started, last.ended), item});
        } else {
            table.add({task.name.text(), state, attempt, "", "", "", "", item});
        }
    }
    return table.empty() ? "" : "\n" + table.text(presentation);
}

std::string failure_of(const RunView& view, const TaskView& task, const Style& style) {
    const std::string state(state_name(task.state));
    const std::string head = fmt::format("\n{} {}: ", style.state(state, state), printable(task.name.text()));
    if (task.attempts.empty()) {
        return head + "never started: its list, condition or command could not be evaluated\n";
    }
    const AttemptResult& last = task.attempts.back();
    const std::string why =
        last.succeeded() ? "user: `until` did not become true by its last round" : failure_text(last);
    return head + fmt::format("{}\n  log: amp logs {}\n", printable(why),
                              printable(task_reference(view.run, task.name)));
}

std::string failures(const RunView& view, const Style& style) {
    std::string out;
    std::size_t all = 0;
    for (const TaskView& task : view.tasks) {
        if (is_failure(task.state) && ++all <= k_failures_told) {
            out += failure_of(view, task, style);
        }
    }
    return all > k_failures_told ? out + fmt::format("\nand {} more failures\n", all - k_failures_told) : out;
}

Value task_document(const TaskView& task) {
    List attempts;
    for (const AttemptResult& attempt : task.attempts) {
        attempts.push_back(to_value(attempt));
    }
    Object out{{"task", task.name.text()},
               {"step", task.name.step},
               {"index", task.name.index.text()},
               {"state", state_name(task.state)},
               {"attempt", std::int64_t{task.attempt}},
               {"attempts", std::move(attempts)}};
    if (task.item) {
        out["item"] = *task.item;
    }
    if (task.running_since) {
        out["running_since"] = format_time(*task.running_since);
    }
    return out;
}

Value time_or_null(const std::optional<Timestamp>& time) {
    return time ? Value(format_time(*time)) : Value();
}

}  // namespace

std::string run_report(const RunView& view, const Presentation& presentation) {
    const Style style(presentation.color_out);
    std::string out = header(view, style);
    if (!view.steps.empty()) {
        out += "\n" + steps_table(view, presentation);
    }
    return out + tasks_table(view, presentation) + failures(view, style);
}

Value run_document(const RunView& view) {
    List steps;
    for (const StepView& step : view.steps) {
        steps.emplace_back(Object{{"name", step.name}, {"counts", counts_value(step.counts)}});
    }
    List tasks;
    tasks.reserve(view.tasks.size());
    for (const TaskView& task : view.tasks) {
        tasks.push_back(task_document(task));
    }
    return Object{{"schema", "amp.run/1"},
                  {"run", view.run},
                  {"flow", view.flow},
                  {"state", view.state},
                  {"user", view.user},
                  {"host", view.host},
                  {"origin", view.origin.empty() ? Value() : Value(view.origin)},
                  {"commit", view.commit.empty() ? Value() : Value(view.commit)},
                  {"dirty", view.dirty},
                  {"code_changed", view.code_changed},
                  {"created", format_time(view.created)},
                  {"ended", time_or_null(view.ended)},
                  {"params", view.params},
                  {"tags", List(view.tags.begin(), view.tags.end())},
                  {"caught", view.caught},
                  {"steps", std::move(steps)},
                  {"tasks", std::move(tasks)}};
}

std::string runs_table(const std::vector<RunSummary>& runs, const Presentation& presentation) {
    Table table({{"RUN"},
                 {"STATE"},
                 {"FLOW"},
                 {"STARTED"},
                 {"TOOK", Table::Align::right},
                 {"TASKS", Table::Align::right},
                 {"TAGS"}});
    table.color_states(1);
    for (const RunSummary& run : runs) {
        const std::string tasks = fmt::format("{}/{}", run.succeeded, run.tasks);
        table.add({run.run, run.state, run.flow, time_text(run.created).substr(0, 19),
                   run.ended ? took_text(run.created, *run.ended) : "", tasks, join(run.tags, " ")});
    }
    return table.text(presentation);
}

Value runs_document(const std::vector<RunSummary>& runs) {
    List out;
    for (const RunSummary& run : runs) {
        out.emplace_back(Object{{"run", run.run},
                                {"flow", run.flow},
                                {"state", run.state},
                                {"user", run.user},
                                {"created", format_time(run.created)},
                                {"ended", time_or_null(run.ended)},
                                {"tasks", run.tasks},
                                {"succeeded", run.succeeded},
                                {"failed", run.failed},
                                {"tags", List(run.tags.begin(), run.tags.end())},
                                {"params", run.params}});
    }
    return Object{{"schema", "amp.runs/1"}, {"runs", std::move(out)}};
}

std::vector<MadeArtifact> made_artifacts(const RunView& view, const std::string& step,
                                         const std::optional<TaskIndex>& index) {
    std::vector<MadeArtifact> out;
    for (const TaskView& task : view.tasks) {
        const bool chosen = (step.empty() || task.name.step == step) && (!index || task.name.index == *index);
        if (!chosen || task.attempts.empty()) {
            continue;
        }
        const AttemptResult& last = task.attempts.back();
        for (const auto& [name, artifact] : last.artifacts) {
            out.push_back({last.task, last.attempt, name, artifact});
        }
    }
    return out;
}

std::string artifacts_table(const std::vector<MadeArtifact>& artifacts, const Presentation& presentation) {
    constexpr std::array<std::string_view, 3> k_kinds = {"value", "file", "folder"};
    Table table({{"TASK"}, {"NAME"}, {"KIND"}, {"SIZE", Table::Align::right}, {"SHA256"}, {"VALUE"}});
    for (const MadeArtifact& made : artifacts) {
        const Artifact& artifact = made.artifact;
        table.add({made.task.text(), made.name,
                   std::string(k_kinds.at(static_cast<std::size_t>(artifact.kind))),
                   format_size(artifact.size_bytes), artifact.sha256.substr(0, 12),
                   artifact.value ? json::dump(*artifact.value) : ""});
    }
    return table.text(presentation);
}

Value artifacts_document(const std::string& run, const std::vector<MadeArtifact>& artifacts) {
    List out;
    for (const MadeArtifact& made : artifacts) {
        Object entry = to_value(made.artifact).as_object();
        entry["task"] = made.task.text();
        entry["attempt"] = std::int64_t{made.attempt};
        entry["name"] = made.name;
        out.emplace_back(std::move(entry));
    }
    return Object{{"schema", "amp.artifacts/1"}, {"run", run}, {"artifacts", std::move(out)}};
}

}  // namespace amp
