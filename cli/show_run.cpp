#include "cli/show_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "cli/documents.hpp"
#include "cli/run_text.hpp"
#include "cli/select.hpp"
#include "cli/show_environments.hpp"
#include "cli/table.hpp"
#include "cli/told_text.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::size_t k_failures_told = 20;
constexpr std::size_t k_tails_told = 3;  // of them with their last lines
constexpr std::size_t k_tail_lines = 5;
constexpr std::size_t k_wide = 100;  // of a terminal: there is room for whole times
constexpr std::array<std::string_view, 3> k_kinds = {"value", "file", "folder"};

std::string took_text(Timestamp from, Timestamp to) {
    return duration_text(to.seconds_since(from));
}

bool is_failure(TaskState state) {
    return state == TaskState::failed || state == TaskState::caught;
}

std::string code_text(const RunView& view) {
    std::string out = view.commit.substr(0, 12);
    out += view.dirty ? (out.empty() ? "dirty" : " (dirty)") : "";
    if (const Value* code = view.record.find("code"); code != nullptr && code->find("from") != nullptr) {
        out += ", " + get_string(*code, "from");
    }
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
    line("waits", view.waits_for.empty() ? "" : "until run " + view.waits_for + " has ended");
    line("partial", view.partial);
    line("outside", join(view.outside, ", "));
    line("parent", view.parent);
    for (const auto& [run, task] : view.spawned) {
        line("spawned", fmt::format("{} by {}", run, task));
    }
    return out;
}

std::string steps_table(const RunView& view, const Presentation& presentation) {
    Table table({{"STEP"}, {"TASKS", Table::Align::right, 1}, {"STATES"}});
    for (const StepView& step : view.steps) {
        table.add({step.name, grouped(count_all(step.counts)), counts_text(step.counts)});
    }
    return table.text(presentation);
}

/// Of cached tasks: which runs made what they have.
std::string reused_from(const RunView& view) {
    std::map<std::string, std::uint64_t> runs;
    for (const TaskView& task : view.tasks) {
        if (!task.made_by.empty()) {
            ++runs[task.made_by.substr(0, task.made_by.find('/'))];
        }
    }
    std::string out;
    for (const auto& [run, tasks] : runs) {
        out += fmt::format("{} cached from run {}\n", grouped(tasks), run);
    }
    return out;
}

/// Also whether people have answered, and nobody has heard it yet.
std::string waits_text(const RunView& view, const TaskView& task) {
    const std::string name = printable(task_text(task.name));
    const std::string since = time_text(*task.waits_since);
    if (task.answer.empty()) {
        return fmt::format("{}  waits for {} since {}\n", name, printable(task.waits_for), since);
    }
    const std::string next =
        view.state == "running" ? "" : fmt::format("; go on with: amp resume {}", view.run);
    return fmt::format("{}  waited for {} since {}: {}{}\n", name, printable(task.waits_for), since,
                       printable(task.answer), next);
}

std::string tasks_table(const RunView& view, const Presentation& presentation) {
    Table table({{"TASK"},
                 {"STATE"},
                 {"TRY", Table::Align::right, 4},
                 {"EXIT", Table::Align::right, 3},
                 {"STARTED", Table::Align::left, 5, true},
                 {"ENDED", Table::Align::left, 6, true},
                 {"TOOK", Table::Align::right, 2},
                 {"ITEM", Table::Align::left, 1}});
    table.color_states(1);
    for (const TaskView& task : view.tasks) {
        const std::string item = task.item ? json::dump(*task.item) : "";
        const std::string state(state_name(task.state));
        const std::string attempt = task.attempt > 0 ? std::to_string(task.attempt) : "";
        if (task.running_since) {
            table.add(
                {task_text(task.name), state, attempt, "", clock_text(*task.running_since), "", "", item});
        } else if (!task.attempts.empty()) {
            const AttemptResult& last = task.attempts.back();
            table.add({task_text(task.name), state, attempt, exit_text(last), clock_text(last.started),
                       clock_text(last.ended), took_text(last.started, last.ended), item});
        } else {
            table.add({task_text(task.name), state, attempt, "", "", "", "", item});
        }
    }
    std::string out = table.empty() ? "" : "\n" + table.text(presentation);
    for (const TaskView& task : view.tasks) {
        if (!task.child.empty()) {
            out += fmt::format("{}  is run {}\n", printable(task_text(task.name)), task.child);
        }
        if (task.waits_since) {
            out += waits_text(view, task);
        }
    }
    return out + reused_from(view);
}

/// Of a gang whose ranks ended in different ways: "0 exit status 0; 2 exit status 3; 1, 3 killed by TERM".
std::string ranks_text(const AttemptResult& result) {
    std::vector<std::pair<RankEnd, std::vector<std::string>>> groups;
    for (std::size_t rank = 0; rank < result.ranks.size(); ++rank) {
        const RankEnd& end = result.ranks[rank];
        auto group =
            std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == end; });
        if (group == groups.end()) {
            group = groups.insert(groups.end(), {end, {}});
        }
        group->second.push_back(std::to_string(rank));
    }
    if (groups.size() < 2) {
        return "";
    }
    std::string out;
    for (const auto& [end, ranks] : groups) {
        out += fmt::format("{}{} {}", out.empty() ? "" : "; ", join(ranks, ", "), exit_text(end));
    }
    return "  ranks: " + out + "\n";
}

std::string failure_of(const RunView& view, const TaskView& task, const LogTail& tail, const Style& style) {
    const std::string state(state_name(task.state));
    const std::string head =
        fmt::format("\n{} {}: ", style.state(state, state), printable(task_text(task.name)));
    if (task.attempts.empty()) {
        return head + "never started: " +
               (task.problem.empty() ? "its list, condition or command could not be evaluated"
                                     : printable(task.problem)) +
               "\n";
    }
    const AttemptResult& last = task.attempts.back();
    const std::string why =
        last.succeeded() ? "user: `until` did not become true by its last round" : failure_text(last);
    return head + printable(why) + "\n" + ranks_text(last) + failure_details(view, task, tail, style);
}

std::string failures(const RunView& view, const LogTail& tail, const Style& style) {
    std::string out;
    std::size_t all = 0;
    for (const TaskView& task : view.tasks) {
        if (is_failure(task.state) && ++all <= k_failures_told) {
            out += failure_of(view, task, all <= k_tails_told ? tail : LogTail(), style);
        }
    }
    out += all > k_failures_told ? fmt::format("\nand {} more failures\n", all - k_failures_told) : "";
    const bool open = view.state == state_name(RunState::failed) || view.state == "interrupted";
    return open ? out + fmt::format("\ngo on with: amp resume {}\n", view.run) : out;
}

Value task_document(const TaskView& task) {
    List attempts;
    for (const AttemptResult& attempt : task.attempts) {
        attempts.push_back(attempt_document(attempt));
    }
    return Object{{"task", task.name.text()},
                  {"step", task.name.step},
                  {"index", task.name.index.text()},
                  {"state", state_name(task.state)},
                  {"attempt", std::int64_t{task.attempt}},
                  {"attempts", std::move(attempts)},
                  {"item", task.item.value_or(Value())},
                  {"run", text_or_null(task.child)},
                  {"made_by", text_or_null(task.made_by)},
                  {"waits_since", time_or_null(task.waits_since)},
                  {"waits_for", text_or_null(task.waits_for)},
                  {"answer", text_or_null(task.answer)},
                  {"problem", text_or_null(task.problem)},
                  {"held_until", time_or_null(task.held_until)},
                  {"running_since", time_or_null(task.running_since)},
                  {"report", task.report ? report_document(*task.report) : Value()}};
}

}  // namespace

std::string failure_details(const RunView& view, const TaskView& task, const LogTail& tail,
                            const Style& style) {
    if (task.attempts.empty()) {
        return "";
    }
    if (!task.failed_below.empty()) {
        const std::string below = printable(task_text(task.failed_below));
        const bool known = below.find('/') != std::string::npos;
        return known ? fmt::format("  log:    amp logs {0}\n  replay: amp replay {0}\n", below)
                     : fmt::format("  run:    amp show {}\n", below);
    }
    const AttemptResult& last = task.attempts.back();
    const std::string lines = indented_tail(tail, last, k_tail_lines, style);
    const std::string rank = last.failed_rank ? fmt::format(" --rank {}", *last.failed_rank) : "";
    const std::string name = printable(task_reference(view.run, task.name));
    const std::string until = task.held_until ? ", held until " + time_text(*task.held_until) : "";
    return fmt::format("{}{}  log:    amp logs {}{}\n  {}{}{}\n", lines, lines.empty() ? "" : "\n", name,
                       rank, until.empty() ? "replay: amp replay " : "shell:  amp shell ", name, until);
}

std::string run_report(const RunView& view, const Presentation& presentation, const LogTail& tail) {
    const Style style(presentation.color_out);
    std::string out = header(view, style);
    if (!view.steps.empty()) {
        out += "\n" + steps_table(view, presentation);
    }
    return out + tasks_table(view, presentation) + told_text(view) + failures(view, tail, style);
}

Value run_document(const RunView& view) {
    List steps;
    for (const StepView& step : view.steps) {
        steps.emplace_back(Object{{"name", step.name}, {"counts", counts_value(step.counts)}});
    }
    List tasks;
    for (const TaskView& task : view.tasks) {
        tasks.push_back(task_document(task));
    }
    List spawned;
    for (const auto& [run, task] : view.spawned) {
        spawned.emplace_back(Object{{"run", run}, {"task", task}});
    }
    return Object{{"schema", "amp.run/1"},
                  {"environments", environments_document(view.record)},
                  {"run", view.run},
                  {"flow", view.flow},
                  {"state", view.state},
                  {"user", view.user},
                  {"host", view.host},
                  {"origin", text_or_null(view.origin)},
                  {"waits_for", text_or_null(view.waits_for)},
                  {"partial", text_or_null(view.partial)},
                  {"outside", List(view.outside.begin(), view.outside.end())},
                  {"parent", text_or_null(view.parent)},
                  {"spawned", std::move(spawned)},
                  {"commit", text_or_null(view.commit)},
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

std::string run_plain(const RunView& view) {
    std::string out;
    for (const TaskView& task : view.tasks) {
        const AttemptResult* last =
            task.attempts.empty() || task.running_since ? nullptr : &task.attempts.back();
        const std::string started = task.running_since ? format_time(*task.running_since)
                                    : last != nullptr  ? format_time(last->started)
                                                       : "";
        out += plain_line(
            {task.name.text(), std::string(state_name(task.state)),
             task.attempt > 0 ? std::to_string(task.attempt) : "", last != nullptr ? exit_text(*last) : "",
             last != nullptr ? std::string(cause_name(last->cause)) : "", started,
             last != nullptr ? format_time(last->ended) : "", task.item ? json::dump(*task.item) : ""});
    }
    return out;
}

std::string runs_table(const std::vector<RunSummary>& runs, const Presentation& presentation) {
    Table table({{"RUN"},
                 {"STATE"},
                 {"FLOW", Table::Align::left, 1},
                 {"STARTED", Table::Align::left, 4, true},  // the run's id says it, too
                 {"TOOK", Table::Align::right, 2},
                 {"TASKS", Table::Align::right, 5},
                 {"TAGS", Table::Align::left, 3}});
    table.color_states(1);
    for (const RunSummary& run : runs) {
        const std::string tasks = fmt::format("{}/{}", run.succeeded, run.tasks);
        const bool narrow = presentation.width > 0 && presentation.width < k_wide;
        const bool known = run.created != Timestamp{};
        const std::string started = known ? time_text(run.created).substr(0, 19) : std::string(19, ' ');
        const std::string partial = run.partial.empty() ? "" : " (" + run.partial + ")";
        table.add({run.run, run.state, run.flow + partial, narrow ? started.substr(5, 11) : started,
                   run.ended ? took_text(run.created, *run.ended) : "", tasks, join(run.tags, " ")});
    }
    return table.text(presentation);
}

std::string runs_plain(const std::vector<RunSummary>& runs) {
    std::string out;
    for (const RunSummary& run : runs) {
        out += plain_line({run.run, run.state, run.flow, format_time(run.created),
                           run.ended ? format_time(*run.ended) : "", std::to_string(run.tasks),
                           std::to_string(run.succeeded), std::to_string(run.failed), run.user,
                           join(run.tags, ","), json::dump(run.params)});
    }
    return out;
}

Value runs_document(const std::vector<RunSummary>& runs) {
    List out;
    for (const RunSummary& run : runs) {
        const bool known = run.created != Timestamp{};  // of one that cannot be read its id tells it
        out.emplace_back(Object{{"run", run.run},
                                {"flow", text_or_null(run.flow)},
                                {"state", run.state},
                                {"user", text_or_null(run.user)},
                                {"created", time_or_null(known ? std::optional(run.created) : std::nullopt)},
                                {"ended", time_or_null(run.ended)},
                                {"tasks", run.tasks},
                                {"succeeded", run.succeeded},
                                {"failed", run.failed},
                                {"parent", text_or_null(run.parent)},
                                {"partial", text_or_null(run.partial)},
                                {"tags", List(run.tags.begin(), run.tags.end())},
                                {"params", run.params}});
    }
    return Object{{"schema", "amp.runs/1"}, {"runs", std::move(out)}};
}

std::vector<MadeArtifact> made_artifacts(const RunView& view, const std::string& step,
                                         const std::optional<TaskIndex>& index) {
    std::vector<MadeArtifact> out;
    const auto elsewhere = [&view](const Artifact& artifact) {
        const auto found = view.elsewhere.find(artifact.sha256);
        return found == view.elsewhere.end() ? std::string() : found->second;
    };
    for (const TaskView& task : view.tasks) {
        const bool chosen = (step.empty() || task.name.step == step) && (!index || task.name.index == *index);
        if (!chosen) {
            continue;
        }
        if (task.attempts.empty()) {  // it was reused, or none made them
            for (const auto& [name, artifact] : task.artifacts) {
                out.push_back({task.name, task.attempt, name, artifact, {}, elsewhere(artifact)});
            }
            continue;
        }
        const AttemptResult& last = task.attempts.back();
        for (const auto& [name, artifact] : last.artifacts) {
            out.push_back({last.task, last.attempt, name, artifact, last.ended, elsewhere(artifact)});
        }
    }
    return out;
}

std::string artifacts_table(const std::vector<MadeArtifact>& artifacts, const Presentation& presentation) {
    Table table({{"TASK"},
                 {"NAME"},
                 {"KIND", Table::Align::left, 2},
                 {"SIZE", Table::Align::right, 1},
                 {"SHA256", Table::Align::left, 3, true},
                 {"VALUE"}});
    for (const MadeArtifact& made : artifacts) {
        const Artifact& artifact = made.artifact;
        table.add({task_text(made.task), made.name,
                   std::string(k_kinds.at(static_cast<std::size_t>(artifact.kind))),
                   format_size(artifact.size_bytes), artifact.sha256.substr(0, 12),
                   artifact.value           ? json::dump(*artifact.value)
                   : made.elsewhere.empty() ? ""
                                            : "on " + made.elsewhere});
    }
    return table.text(presentation);
}

std::string artifacts_plain(const std::vector<MadeArtifact>& artifacts) {
    std::string out;
    for (const MadeArtifact& made : artifacts) {
        const Artifact& artifact = made.artifact;
        out += plain_line({made.task.text(), std::to_string(made.attempt), made.name,
                           std::string(k_kinds.at(static_cast<std::size_t>(artifact.kind))),
                           std::to_string(artifact.size_bytes), artifact.sha256,
                           artifact.value ? json::dump(*artifact.value) : "", made.elsewhere});
    }
    return out;
}

Value artifacts_document(const std::string& run, const std::vector<MadeArtifact>& artifacts) {
    List out;
    for (const MadeArtifact& made : artifacts) {
        Object entry = artifact_document(made.artifact).as_object();
        entry["task"] = made.task.text();
        entry["attempt"] = std::int64_t{made.attempt};
        entry["name"] = made.name;
        entry["elsewhere"] = made.elsewhere.empty() ? Value() : Value(made.elsewhere);
        out.emplace_back(std::move(entry));
    }
    return Object{{"schema", "amp.artifacts/1"}, {"run", run}, {"artifacts", std::move(out)}};
}

}  // namespace amp
