#include "core/run/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/flow/expression.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/bring_home.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/failed_below.hpp"
#include "core/run/holds.hpp"
#include "core/run/metrics.hpp"
#include "core/run/parameters.hpp"
#include "core/run/partial.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/summary.hpp"
#include "core/run/turns.hpp"
#include "core/run/waits.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

using Attempts = std::unordered_map<TaskId, std::vector<AttemptResult>>;

void find_state(RunView& view, Services& services, OpenStore& store, const ReadRun& run) {
    if (is_driven(*store.objects, *store.files, services.clock, run.record->run, services.host)) {
        const auto behind = Turns(services, store, run.record->flow_name).behind(run.record->run);
        if (!run.end || behind) {
            view.state = behind ? "pending" : "running";
            view.waits_for = behind.value_or("");
            return;
        }
    }
    if (run.end) {
        view.state = state_name(run.end->state);
    } else {
        view.state = awaits_driver(services, store, *run.record) ? "pending" : "interrupted";
    }
}

std::optional<Value> item_of(const RunData& data, TaskId task) {
    const auto& stack = data.graph().nodes[data.plan().step(task)].stack;
    const TaskIndex index = data.plan().index(task);
    if (stack.empty() || index.path.size() != stack.size()) {
        return std::nullopt;
    }
    const List* items = data.items(stack.back(), {index.path.begin(), index.path.end() - 1});
    return items && index.path.back() < items->size() ? std::optional((*items)[index.path.back()])
                                                      : std::nullopt;
}

/// How it stands without an attempt of its own.
void add_standing(TaskView& view, const RunData& data, TaskId task) {
    view.made_by = data.made_by(task);
    if (const auto* waits = data.waiting(task)) {
        view.waits_since = waits->since;
        view.waits_for = waits->what;
    }
    const bool failed = view.state == TaskState::failed || view.state == TaskState::caught;
    if (const Value* error = data.error(task); error && failed && view.attempts.empty()) {
        view.problem = get_string(*error, "message");
    }
}

/// The tasks as people read them: the steps in the order of the graph, each step's by their index.
std::vector<TaskId> in_order(const RunData& data) {
    const Plan& plan = data.plan();
    std::vector<std::size_t> rank(data.graph().nodes.size());
    for (std::size_t i = 0; i < data.graph().order.size(); ++i) {
        rank[data.graph().order[i]] = i;
    }
    struct Key {
        std::size_t rank;
        TaskIndex index;
        TaskId task;
    };
    std::vector<Key> keys;
    keys.reserve(plan.task_count());
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task)) {
            keys.push_back({rank[plan.step(task)], plan.index(task), task});
        }
    }
    const auto before = [](const Key& a, const Key& b) {
        return std::tie(a.rank, a.index.path) < std::tie(b.rank, b.index.path);
    };
    if (!std::is_sorted(keys.begin(), keys.end(), before)) {
        std::stable_sort(keys.begin(), keys.end(), before);
    }
    std::vector<TaskId> tasks;
    tasks.reserve(keys.size());
    for (const Key& key : keys) {
        tasks.push_back(key.task);
    }
    return tasks;
}

std::vector<TaskView> task_views(const RunData& data, Attempts& attempts) {
    std::vector<TaskView> views;
    const Plan& plan = data.plan();
    views.reserve(plan.task_count());
    for (const TaskId task : in_order(data)) {
        TaskView view;
        view.name = TaskName{data.step(plan.step(task)).name, plan.index(task)};
        view.state = plan.state(task);
        view.attempts = std::move(attempts[task]);
        view.attempt = view.attempts.empty() ? 0 : view.attempts.back().attempt;
        view.item = item_of(data, task);
        if (const auto* made = data.artifacts(task)) {
            view.artifacts = *made;
        }
        if (const auto* made = data.artifacts(task);
            view.state == TaskState::caught && made && !view.attempts.empty()) {
            view.attempts.back().artifacts = *made;  // with its error
        }
        add_standing(view, data, task);
        views.push_back(std::move(view));
    }
    return views;
}

/// Tasks that a living keeper says are running, though the journal cannot know it yet.
void mark_running(RunView& view, const std::vector<LiveStart>& starts) {
    std::map<std::pair<std::string, std::vector<std::uint32_t>>, const LiveStart*> by_name;
    for (const LiveStart& start : starts) {
        by_name[{start.task.step, start.task.index.path}] = &start;
    }
    for (TaskView& task : view.tasks) {
        const auto it = by_name.find({task.name.step, task.name.index.path});
        if (it == by_name.end() || is_terminal(task.state)) {
            continue;
        }
        for (StepView& step : view.steps) {
            if (step.name == task.name.step) {
                --step.counts[static_cast<std::size_t>(task.state)];
                ++step.counts[static_cast<std::size_t>(TaskState::running)];
            }
        }
        task.state = TaskState::running;
        task.attempt = it->second->attempt;
        task.running_since = it->second->at;
    }
}

/// What attempts told: as their ends say, or of those that run or were lost, as the packs do.
void fill_reports(RunView& view, const OpenStore& store) {
    std::set<AttemptKey> silent;
    const auto key_of = [](const TaskView& task) {
        return task.running_since || task.attempts.empty()
                   ? AttemptKey{task.name, task.attempt}
                   : AttemptKey{task.attempts.back().task, task.attempts.back().attempt};
    };
    for (TaskView& task : view.tasks) {
        for (const AttemptResult& attempt : task.attempts) {
            if (attempt.cause == Cause::lost) {
                silent.insert({attempt.task, attempt.attempt});
            }
        }
        if (task.running_since) {
            silent.insert(key_of(task));
        }
    }
    const auto told = told_so_far(store, view.run, silent);
    const auto find = [&](const AttemptKey& key) {
        const auto it = told.find(key);
        return it == told.end() ? nullptr : it->second;
    };
    for (TaskView& task : view.tasks) {
        for (AttemptResult& attempt : task.attempts) {
            if (attempt.cause == Cause::lost) {
                attempt.report = find({attempt.task, attempt.attempt});
            }
        }
        const bool runs = task.running_since || task.attempts.empty();
        task.report = runs ? find(key_of(task)) : task.attempts.back().report;
    }
}

/// What was taken over was told of in the run that made it.
void fill_reports_of_cached(RunView& view, const OpenStore& store) {
    std::set<std::string> makers;
    for (const TaskView& task : view.tasks) {
        if (!task.made_by.empty() && !task.report) {
            makers.insert(task.made_by);
        }
    }
    const auto told = told_by_makers(store, makers);
    for (TaskView& task : view.tasks) {
        if (const auto found = told.find(task.made_by); found != told.end() && !task.report) {
            task.made_attempt = found->second.attempt;
            task.report = found->second.report;
        }
    }
}

/// Answers that nobody who drives the run has heard yet.
void add_answers(RunView& view, const OpenStore& store) {
    for (TaskView& task : view.tasks) {
        if (task.waits_since) {
            TaskName name = task.name;
            name.index.round = 0;
            task.answer = answer_text(*store.objects, view.run, name.text(), *task.waits_since);
        }
    }
}

/// Of files and folders that its tasks made.
std::set<std::string> hashes_of(const RunView& view) {
    std::set<std::string> hashes;
    const auto add = [&hashes](const std::map<std::string, Artifact>& artifacts) {
        for (const auto& [name, artifact] : artifacts) {
            if (artifact.kind != Artifact::Kind::value) {
                hashes.insert(artifact.sha256);
            }
        }
    };
    for (const TaskView& task : view.tasks) {
        add(task.artifacts);
        for (const AttemptResult& attempt : task.attempts) {
            add(attempt.artifacts);
        }
    }
    return hashes;
}

void add_children(RunView& view, const OpenStore& store) {
    std::map<std::string, std::string> of_tasks;
    for (const ChildRun& child : children_of(store, view.run)) {
        if (child.spawned) {
            view.spawned.emplace_back(child.run, child.task);
        } else {
            of_tasks[child.task] = child.run;
        }
    }
    for (TaskView& task : view.tasks) {
        if (const auto found = of_tasks.find(task.name.text()); found != of_tasks.end()) {
            task.child = found->second;
        }
    }
    constexpr int k_looked_into = 20;  // as many as are told of
    int looked = 0;
    for (TaskView& task : view.tasks) {
        const bool failed = task.state == TaskState::failed || task.state == TaskState::caught;
        if (failed && !task.child.empty() && ++looked <= k_looked_into) {
            task.failed_below = failed_below(store, view.run, task.name);
        }
    }
}

/// Places of failed tasks that whoever drives the run keeps.
void add_holds(RunView& view, const OpenStore& store) {
    std::map<std::string, Timestamp> until;
    for (const Hold& hold : read_holds(*store.objects, view.run)) {
        until[hold.task] = hold.over();
    }
    for (TaskView& task : view.tasks) {
        if (const auto found = until.find(task.name.text()); found != until.end()) {
            task.held_until = found->second;
        }
    }
}

}  // namespace

RunView view_run(Services& services, const Project& project, const std::string& reference) {
    OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, reference);
    Attempts attempts;
    ReadRun read = read_whole_run(store, run, [&](const RunEvent& event, std::optional<TaskId> task) {
        if (event.result && task) {
            attempts[*task].push_back(*event.result);
        }
    });
    RunView view;
    view.run = run;
    view.flow = read.record->flow_name;
    find_state(view, services, store, read);
    view.user = read.record->user;
    view.host = read.record->host;
    view.origin = read.record->origin;
    view.partial = partial_text(*read.record);
    view.outside = outside_steps(*read.record);
    view.parent = read.record->parent;
    if (read.record->git) {
        view.commit = read.record->git->commit;
        view.dirty = read.record->git->dirty;
    }
    view.created = read.record->created;
    if (read.end) {
        view.ended = read.end->at;
        view.code_changed = read.end->code_changed;
    }
    view.params = shown_parameters(read.record->params, read.flow->flow);
    view.tags = active_tags(*store.objects, run);
    for (const StepId step : read.flow->graph.order) {
        view.steps.push_back(StepView{read.flow->graph.nodes[step].name, read.data->plan().counts(step)});
    }
    view.tasks = task_views(*read.data, attempts);
    add_children(view, store);
    view.elsewhere = artifacts_elsewhere(store, hashes_of(view));
    view.caught = read.data->plan().totals()[static_cast<std::size_t>(TaskState::caught)];
    view.record = to_value(*read.record);
    if (!read.end) {
        mark_running(view, live_starts(store, run));
    }
    if (view.state == "running") {
        add_holds(view, store);
    }
    fill_reports(view, store);
    fill_reports_of_cached(view, store);
    add_answers(view, store);
    return view;
}

Artifact find_artifact(const RunView& view, const TaskName& task, const std::string& name) {
    std::vector<std::string> names;
    bool found_task = false;
    for (const TaskView& candidate : view.tasks) {
        if (candidate.name.step != task.step || candidate.name.index.path != task.index.path) {
            continue;
        }
        found_task = true;
        if (const auto it = candidate.artifacts.find(name);
            candidate.attempts.empty() && it != candidate.artifacts.end()) {
            return it->second;
        }
        const auto latest =
            std::find_if(candidate.attempts.rbegin(), candidate.attempts.rend(),
                         [&](const auto& attempt) { return attempt.artifacts.contains(name); });
        if (latest != candidate.attempts.rend()) {
            return latest->artifacts.at(name);
        }
        for (const auto& attempt : candidate.attempts) {
            for (const auto& [other, artifact] : attempt.artifacts) {
                names.push_back(other);
            }
        }
    }
    const std::string where = view.run + "/" + task.text();
    if (!found_task) {
        check_task(view, task.step, std::nullopt);
        throw Error(ExitCode::not_found, fmt::format("run {} has no task '{}'", view.run, task.text()), where,
                    fmt::format("`amp show {}` lists its tasks", view.run));
    }
    throw Error(ExitCode::not_found, fmt::format("task {} made no artifact '{}'", task.text(), name), where,
                near_hint(name, names, fmt::format("`amp artifacts {}` lists what there is", where)));
}

Value artifact_value(Services& services, const Project& project, const std::string& /*run*/,
                     const Artifact& artifact) {
    const OpenStore store = services.open_store(project.store_folder, false);
    if (artifact.kind == Artifact::Kind::value) {
        return read_artifact_value(store, artifact);
    }
    throw Error(ExitCode::invalid, "the artifact is a file or folder, not a value", {},
                "write it to a path with -o PATH");
}

void tag_run(Services& services, const Project& project, const std::string& reference,
             const std::vector<std::string>& tags, bool on) {
    const OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, reference);
    mark_run_changed(*store.objects, run);
    for (const std::string& tag : tags) {
        set_tag(*store.objects, run, tag, on, services.user, services.clock.now());
    }
    mark_run_changed(*store.objects, run);
}

}  // namespace amp
