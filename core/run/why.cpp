#include "core/run/why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <variant>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/given.hpp"
#include "core/run/reference.hpp"
#include "core/run/reuse.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/task_text.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_answers = 20;
constexpr std::size_t k_runs_looked_at = 200;
constexpr std::size_t k_deepest_chain = 16;

/// A run with what its journal says of decisions and attempts.
class History {
  public:
    History(const OpenStore& store, const std::string& run)
        : read_(read_whole_run(
              store, run, [this](const RunEvent& event, std::optional<TaskId> task) { hear(event, task); })),
          load_([&store](const Artifact& artifact) { return read_artifact_value(store, artifact); }),
          builder_(*read_.data, load_) {}
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    const RunData& data() const { return *read_.data; }
    const Plan& plan() const { return read_.data->plan(); }
    const RunRecord& record() const { return *read_.record; }
    TaskName name(TaskId task) const { return {data().step(plan().step(task)).name, plan().index(task)}; }

    /// nullopt when it cannot be evaluated any more, or never could.
    std::optional<BuiltTask> build(TaskId task) {
        try {
            return builder_.build(task, record().created);
        } catch (const Error&) {
            return std::nullopt;
        }
    }
    std::optional<TaskId> find(const std::string& step, const TaskIndex& index) const {
        const StepId id = data().graph().id(step);
        return id < data().graph().nodes.size() ? plan().find(id, index) : std::nullopt;
    }
    const std::vector<AttemptResult>& attempts(TaskId task) { return attempts_[task]; }
    /// The last decision about a task, or about the foreach around it.
    template <class Decision>
    const Decision* decision(TaskId task) const {
        TaskIndex at = plan().index(task);
        for (std::size_t tries = 0; tries < 2; ++tries) {
            const auto found = decisions_.find({plan().step(task), at.path, index_of<Decision>()});
            if (found != decisions_.end()) {
                return &std::get<Decision>(found->second);
            }
            if (at.path.empty()) {
                break;
            }
            at.path.pop_back();
        }
        return nullptr;
    }
    std::string failed_decision(TaskId task) const {
        const auto found = failed_decisions_.find(task);
        return found == failed_decisions_.end() ? "" : found->second;
    }
    RunScope scope(TaskId task) const {
        return {data(), ScopePosition{plan().step(task), plan().index(task), 1, false}, load_,
                record().created};
    }

  private:
    template <class Decision>
    static constexpr int index_of() {
        return std::is_same_v<Decision, WhenDecided> ? 0 : 1;
    }

    void hear(const RunEvent& event, std::optional<TaskId> task) {
        if (event.result && task) {
            attempts_[*task].push_back(*event.result);
        }
        if (const auto* when = std::get_if<WhenDecided>(&event.event)) {
            decisions_.insert_or_assign({when->step, when->index.path, 0}, *when);
        } else if (const auto* edges = std::get_if<EdgesDecided>(&event.event)) {
            decisions_.insert_or_assign({edges->step, edges->index.path, 1}, *edges);
        } else if (std::holds_alternative<DecisionFailed>(event.event) && task) {
            failed_decisions_[*task] = event.message;
        }
    }

    std::map<TaskId, std::vector<AttemptResult>> attempts_;
    std::map<std::tuple<StepId, std::vector<std::uint32_t>, int>, std::variant<WhenDecided, EdgesDecided>>
        decisions_;
    std::map<TaskId, std::string> failed_decisions_;
    ReadRun read_;
    ArtifactLoader load_;
    SpecBuilder builder_;
};

std::string place_text(const Flow& flow, const Place& place) {
    return place.line > 0 ? fmt::format(" ({}:{})", flow.path, place.line) : "";
}

/// "params.full = false, choose.kind = "a"": what an expression saw.
std::string values_seen(const Expression& expression, const RunScope& scope) {
    std::string out;
    for (const Expression::Use& use : expression.uses()) {
        std::string value = "not there";
        try {
            if (const auto found = scope.resolve(use.reference.root, use.reference.path)) {
                value = json::dump(*found);
            }
        } catch (const Error&) {
            value = "unknown";
        }
        out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", use.reference.text(), value);
    }
    return out.empty() ? out : "; " + out;
}

/// The tasks of what `edge` leads from, that are in the branch of `index`.
std::vector<TaskId> tasks_before(const RunData& data, const Graph::Edge& edge, const TaskIndex& index) {
    const std::size_t depth =
        std::min(data.graph().nodes[edge.from].stack.size() - edge.closes, index.path.size());
    std::vector<TaskId> out;
    for (TaskId task = 0; task < data.plan().task_count(); ++task) {
        if (!data.plan().is_task(task) || data.plan().step(task) != edge.from) {
            continue;
        }
        const TaskIndex at = data.plan().index(task);
        const std::size_t common = std::min(depth, at.path.size());
        if (std::equal(at.path.begin(), at.path.begin() + static_cast<std::ptrdiff_t>(common),
                       index.path.begin())) {
            out.push_back(task);
        }
    }
    return out;
}

std::string failure_of(History& run, TaskId task) {
    if (!run.attempts(task).empty() && !run.attempts(task).back().succeeded()) {
        const AttemptResult& last = run.attempts(task).back();
        const std::string how = !last.message.empty() ? last.message
                                : last.signal != 0    ? fmt::format("killed by signal {}", last.signal)
                                                      : fmt::format("exit status {}", last.exit);
        return fmt::format("{}: {}", cause_name(last.cause), how);
    }
    const std::string decision = run.failed_decision(task);
    return decision.empty() ? "it never started, or its last round left `until` false" : decision;
}

/// Sentences from a blocked task to the failure that blocks it.
std::vector<std::string> blocking_chain(History& run, TaskId task) {
    std::vector<std::string> out;
    for (std::size_t depth = 0; depth < k_deepest_chain; ++depth) {
        std::optional<TaskId> next;
        for (const Graph::Edge& edge : run.data().graph().nodes[run.plan().step(task)].needs) {
            for (const TaskId before : tasks_before(run.data(), edge, run.plan().index(task))) {
                if (run.plan().state(before) == TaskState::failed) {
                    out.push_back(fmt::format("it needs {}, which failed: {}", task_text(run.name(before)),
                                              failure_of(run, before)));
                    return out;
                }
                next = run.plan().state(before) == TaskState::blocked && !next ? std::optional(before) : next;
            }
        }
        if (!next) {
            break;
        }
        out.push_back(fmt::format("it needs {}, which is blocked itself:", task_text(run.name(*next))));
        task = *next;
    }
    return out;
}

std::vector<std::string> skip_reasons(const History& run, TaskId task) {
    const Step& step = run.data().step(run.plan().step(task));
    const RunScope scope = run.scope(task);
    std::vector<std::string> out;
    if (const auto* when = run.decision<WhenDecided>(task); when && !when->open && step.when) {
        out.push_back(fmt::format("its condition `{}` is false{}{}", step.when->text(),
                                  place_text(run.data().flow(), step.place_of("when")),
                                  values_seen(*step.when, scope)));
        return out;
    }
    const auto* edges = run.decision<EdgesDecided>(task);
    for (std::size_t i = 0; i < step.needs.size(); ++i) {
        const Need& need = step.needs[i];
        const bool closed = edges && i < edges->open.size() && !edges->open[i];
        const Graph::Edge& edge = run.data().graph().nodes[run.plan().step(task)].needs[i];
        const auto before = tasks_before(run.data(), edge, run.plan().index(task));
        const bool skipped = std::all_of(before.begin(), before.end(),
                                         [&](TaskId b) { return run.plan().state(b) == TaskState::skipped; });
        if (skipped) {
            out.push_back(fmt::format("it needs {}, which was skipped", need.step));
        } else if (closed && need.when) {
            out.push_back(fmt::format("the condition `{}` on its need of {} is false{}{}", need.when->text(),
                                      need.step, place_text(run.data().flow(), need.place),
                                      values_seen(*need.when, scope)));
        }
    }
    return out;
}

/// Answers about one run, over another one to compare with.
class Answering {
  public:
    Answering(History& run, History* before, bool is_origin)
        : run_(run), before_(before), is_origin_(is_origin) {}

    WhyAnswer answer(TaskId task, std::size_t depth = 0) {
        const TaskState state = run_.plan().state(task);
        WhyAnswer out;
        out.task = run_.name(task).text();
        out.state = state_name(state);
        switch (state) {
            case TaskState::blocked:
                out.reasons = blocking_chain(run_, task);
                return out;
            case TaskState::skipped:
                out.reasons = skip_reasons(run_, task);
                return out;
            case TaskState::cached:
                out.reasons.push_back(
                    !run_.record().only.empty()
                        ? fmt::format("--only does not name it: its result is, whatever it would be now, "
                                      "that of run {}",
                                      run_.record().origin)
                    : is_origin_
                        ? fmt::format("its definition, and all that it needs, is the same as in run {}",
                                      run_.record().origin)
                        : fmt::format("its definition is the same as that of {}, which succeeded",
                                      task_text(run_.data().made_by(task))));
                return out;
            case TaskState::waiting:
                out.reasons = waiting_for(task);
                return out;
            case TaskState::cancelled:
                out.reasons.push_back(why_cancelled(task));
                break;
            case TaskState::failed:
            case TaskState::caught:
                out.reasons.push_back(failure_of(run_, task));
                break;
            default:
                break;
        }
        add_attempts(out, task);
        add_comparison(out, task, depth);
        return out;
    }

  private:
    std::vector<std::string> waiting_for(TaskId task) {
        std::vector<std::string> out;
        if (const auto* waits = run_.data().waiting(task)) {
            out.push_back(fmt::format("it waits for {} since {}", waits->what, format_time(waits->since)));
        }
        for (const Graph::Edge& edge : run_.data().graph().nodes[run_.plan().step(task)].needs) {
            for (const TaskId before : tasks_before(run_.data(), edge, run_.plan().index(task))) {
                if (!is_terminal(run_.plan().state(before)) && out.size() < k_most_answers) {
                    out.push_back(fmt::format("it needs {}, which is {}", task_text(run_.name(before)),
                                              state_name(run_.plan().state(before))));
                }
            }
        }
        if (out.empty()) {
            out.emplace_back("it has not been its turn yet");
        }
        return out;
    }

    std::string why_cancelled(TaskId task) {
        for (TaskId other = 0; other < run_.plan().task_count(); ++other) {
            if (run_.plan().is_task(other) && other != task &&
                run_.plan().state(other) == TaskState::failed) {
                return fmt::format("{} failed ({}), which ends a run without keep_going",
                                   task_text(run_.name(other)), failure_of(run_, other));
            }
        }
        return "the run was cancelled, or its time was over";
    }

    void add_attempts(WhyAnswer& out, TaskId task) {
        const auto& attempts = run_.attempts(task);
        const bool open = run_.plan().state(task) == TaskState::retrying;
        for (std::size_t i = 0; i + (open ? 0 : 1) < attempts.size(); ++i) {
            const AttemptResult& result = attempts[i];
            if (!result.succeeded() && out.reasons.size() < k_most_answers) {
                out.reasons.push_back(fmt::format(
                    "attempt {} ended with cause {}{}{}, and it was tried again", result.attempt,
                    cause_name(result.cause), result.message.empty() ? "" : ": ", result.message));
            }
        }
    }

    void add_comparison(WhyAnswer& out, TaskId task, std::size_t depth) {
        if (!before_) {
            out.reasons.emplace_back("no earlier run of the flow has this task");
            return;
        }
        const std::string& theirs = before_->record().run;
        const auto built = run_.build(task);
        if (!built) {
            return;
        }
        const Reuse found = find_reuse(run_.data(), task, built->definition, before_->data());
        if (!found.old) {
            out.reasons.push_back(fmt::format("run {} has no such task", theirs));
            return;
        }
        if (found.verdict == Reuse::Verdict::not_succeeded) {
            out.reasons.push_back(
                fmt::format("in run {} it is {}", theirs, state_name(before_->plan().state(*found.old))));
        }
        if (const auto old = before_->build(*found.old)) {
            out.differences = definition_differences({before_->data(), old->parts},
                                                     {run_.data(), built->parts}, run_.name(task).step);
        }
        if (is_asked_for(run_.record(), run_.name(task).step)) {
            out.reasons.emplace_back(run_.record().only.empty() ? "it was asked for (--from)"
                                                                : "it was asked for (--only)");
        } else if (is_origin_ && found.ran) {
            add_need(out, task, *found.ran, depth);
        } else if (out.differences.empty() && found.verdict != Reuse::Verdict::not_succeeded) {
            const char* anew = is_origin_ ? "" : "; `amp run` does everything anew, `amp resume` reuses";
            out.reasons.push_back(fmt::format("its definition is the same as in run {}{}", theirs, anew));
        }
    }

    void add_need(WhyAnswer& out, TaskId task, StepId need, std::size_t depth) {
        out.reasons.push_back(
            fmt::format("it needs {}, which ran again", run_.data().graph().nodes[need].name));
        if (depth >= k_deepest_chain) {
            return;
        }
        for (const Graph::Edge& edge : run_.data().graph().nodes[run_.plan().step(task)].needs) {
            for (const TaskId before : tasks_before(run_.data(), edge, run_.plan().index(task))) {
                const TaskState state = run_.plan().state(before);
                const bool ran = state != TaskState::cached && state != TaskState::skipped;
                if (edge.from == need && ran) {
                    out.because.push_back(answer(before, depth + 1));
                    return;
                }
            }
        }
    }

    History& run_;
    History* before_;
    bool is_origin_;
};

std::vector<TaskId> tasks_asked_for(const History& run, const WhyQuery& query) {
    std::vector<std::string> steps;
    for (const Graph::Node& node : run.data().graph().nodes) {
        steps.push_back(node.name);
    }
    const StepId step = run.data().graph().id(query.step);
    if (step >= steps.size()) {
        throw Error(ExitCode::not_found, fmt::format("run {} has no step '{}'", run.record().run, query.step),
                    run.record().run, near_hint(query.step, steps, "its steps are " + join(steps, ", ")));
    }
    std::vector<TaskId> out;
    for (TaskId task = 0; task < run.plan().task_count(); ++task) {
        const bool meant = run.plan().is_task(task) && run.plan().step(task) == step &&
                           (!query.index || run.plan().index(task).path == query.index->path);
        if (meant) {
            out.push_back(task);
        }
    }
    if (out.empty()) {
        throw Error(ExitCode::not_found,
                    fmt::format("run {} has no task '{}'", run.record().run,
                                task_text(TaskName{query.step, query.index.value_or(TaskIndex{})})),
                    run.record().run, fmt::format("`amp show {}` lists its tasks", run.record().run));
    }
    return out;
}

/// The latest earlier run of the same flow that has one of the tasks; null: none.
std::unique_ptr<History> earlier_run(const OpenStore& store, const History& run, TaskId task) {
    auto runs = list_runs(*store.objects);
    std::reverse(runs.begin(), runs.end());
    std::size_t looked_at = 0;
    for (const std::string& id : runs) {
        if (id >= run.record().run || ++looked_at > k_runs_looked_at) {
            continue;
        }
        try {
            if (run_record_from(read_run(*store.objects, id)).flow_name != run.record().flow_name) {
                continue;
            }
            auto earlier = std::make_unique<History>(store, id);
            const TaskName name = run.name(task);
            if (earlier->find(name.step, name.index)) {
                return earlier;
            }
        } catch (const Error&) {  // a run that cannot be read is none to compare with
        }
    }
    return nullptr;
}

}  // namespace

WhyReport why_task(Services& services, const Project& project, const WhyQuery& query) {
    const OpenStore store = services.open_store(project.store_folder, false);
    History run(store, resolve_run(*store.objects, query.run));
    const std::vector<TaskId> tasks = tasks_asked_for(run, query);
    const std::string& origin = run.record().origin;
    const std::string named = query.against.empty() ? origin : resolve_run(*store.objects, query.against);
    const std::unique_ptr<History> before =
        named.empty() ? earlier_run(store, run, tasks.front()) : std::make_unique<History>(store, named);
    WhyReport report;
    report.run = run.record().run;
    report.against = before ? before->record().run : "";
    Answering answering(run, before.get(), !origin.empty() && report.against == origin);
    for (std::size_t i = 0; i < std::min(tasks.size(), k_most_answers); ++i) {
        report.answers.push_back(answering.answer(tasks[i]));
    }
    report.more = tasks.size() - report.answers.size();
    return report;
}

}  // namespace amp
