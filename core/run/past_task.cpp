#include "core/run/past_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/reuse.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/task_text.hpp"
#include "core/run/why.hpp"
#include "core/task/shell_place.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

StepId find_step(const PastRun& past, const std::string& name) {
    const Graph& graph = past.data().graph();
    const StepId step = graph.id(name);
    if (step < graph.nodes.size()) {
        return step;
    }
    std::vector<std::string> names;
    names.reserve(graph.nodes.size());
    for (const auto& node : graph.nodes) {
        names.push_back(node.name);
    }
    throw Error(ExitCode::not_found, fmt::format("run {} has no step '{}'", past.run, name), past.run,
                near_hint(name, names, fmt::format("`amp show {}` lists its steps and tasks", past.run)));
}

void refuse_subflow(const PastRun& past, TaskId task) {
    const Step& step = past.data().step(past.plan().step(task));
    if (!step.subflow.empty()) {
        throw Error(ExitCode::usage, fmt::format("'{}' runs a flow: it is a run of its own", step.name),
                    past.run, "do a task of that run again; `amp runs --all` lists it");
    }
}

}  // namespace

PastRun read_past(const OpenStore& store, const std::string& run) {
    PastRun past;
    past.run = run;
    past.read = read_whole_run(store, run, [&](const RunEvent& event, std::optional<TaskId> task) {
        if (event.result && task) {
            past.attempts[*task].push_back(*event.result);
        }
    });
    return past;
}

TaskId find_past_task(const PastRun& past, const std::string& step, const std::optional<TaskIndex>& index,
                      const std::string& command) {
    const StepId id = find_step(past, step);
    const Plan& plan = past.plan();
    std::vector<TaskId> found;
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task) && plan.step(task) == id && (!index || plan.index(task).path == index->path)) {
            found.push_back(task);
        }
    }
    if (found.size() > 1) {
        throw Error(ExitCode::usage, fmt::format("'{}' has {} tasks", step, found.size()), past.run,
                    fmt::format("name one of them, for instance {} {}/{}/{}", command, past.run, step,
                                plan.index(found.front()).text()));
    }
    if (found.empty()) {
        const std::string name = step + (index ? "/" + index->text() : "");
        throw Error(ExitCode::not_found, fmt::format("run {} has no task '{}'", past.run, name), past.run,
                    fmt::format("`amp show {}` lists its steps and tasks", past.run));
    }
    const std::uint32_t last = plan.index(found.front()).round;
    if (index && index->round != 0 && index->round != last) {
        throw Error(ExitCode::not_found, "only the last round of a repetition can be done again", past.run,
                    fmt::format("that is round {}", last));
    }
    refuse_subflow(past, found.front());
    return found.front();
}

void refuse_image(const CodeManifest& code, const std::string& run) {
    if (code.mode != CodeMode::files) {
        throw Error(ExitCode::usage, fmt::format("the code of run {} is in its image, not in the store", run),
                    run, fmt::format("`git worktree add DIR {}` lays what the image is to hold", code.base));
    }
}

[[noreturn]] void refuse_never_ran(Services& services, const Project& project, const std::string& run,
                                   const TaskName& task) {
    const WhyReport why = why_task(services, project, {run, task.step, task.index, {}});
    std::string reason;
    if (!why.answers.empty() && !why.answers.front().reasons.empty()) {
        reason = why.answers.front().reasons.front();
    }
    throw Error(ExitCode::not_found,
                fmt::format("{}/{} never ran{}", run, task_text(task), reason.empty() ? "" : ": " + reason),
                run, fmt::format("`amp why {}/{}` says more", run, task_text(task)));
}

std::pair<std::uint32_t, Timestamp> choose_attempt(const PastRun& past, TaskId task,
                                                   const std::optional<std::uint32_t>& wanted) {
    const auto known = past.attempts.find(task);
    if (known == past.attempts.end() || known->second.empty()) {  // it runs, or was taken over
        const std::uint32_t only = std::max<std::uint32_t>(1, past.plan().attempt(task));
        if (wanted && *wanted != only) {
            throw Error(ExitCode::not_found, fmt::format("there is no attempt {}", *wanted));
        }
        return {only, past.read.record->created};
    }
    const std::vector<AttemptResult>& all = known->second;
    const auto chosen = std::find_if(all.rbegin(), all.rend(), [&](const AttemptResult& attempt) {
        return !wanted || attempt.attempt == *wanted;
    });
    if (chosen != all.rend()) {
        return {chosen->attempt, chosen->started};
    }
    std::set<std::uint32_t> numbers;
    for (const AttemptResult& attempt : all) {
        numbers.insert(attempt.attempt);
    }
    throw Error(ExitCode::not_found,
                fmt::format("{} has no attempt {}", task_text(known->second.front().task), *wanted), {},
                fmt::format("there are: {}", fmt::join(numbers, ", ")));
}

bool ever_ran(const OpenStore& store, const PastRun& past, TaskId task) {
    if (past.attempts.contains(task) || past.plan().state(task) == TaskState::cached) {
        return true;
    }
    const std::string& step = past.data().step(past.plan().step(task)).name;
    const TaskIndex index = past.plan().index(task);
    const std::vector<LiveStart> starts = live_starts(store, past.run);
    return std::any_of(starts.begin(), starts.end(), [&](const LiveStart& start) {
        return start.task.step == step && start.task.index.path == index.path;
    });
}

std::string make_task_folder(const std::string& folder) {
    try {
        fs::path place = fs::absolute(folder).lexically_normal();
        if (!place.has_filename()) {
            place = place.parent_path();
        }
        const bool there = fs::exists(fs::symlink_status(place));
        if (there && !(fs::is_directory(place) && fs::is_empty(place))) {
            throw Error(ExitCode::usage, fmt::format("'{}' is not empty", place.string()), place.string(),
                        "name a folder that is new or empty");
        }
        fs::create_directories(place / "code");
        return place.string();
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", folder, failed.code().value());
    }
}

TaskSpec build_past_spec(Services& services, const OpenStore& store, const PastRun& past, TaskId task,
                         std::uint32_t attempt, Timestamp started, const std::string& code) {
    SpecBuilder builder(past.data(),
                        [&](const Artifact& artifact) { return read_artifact_value(store, artifact); });
    if (!code.empty()) {
        builder.set_project_folder(code);
    }
    if (past.data().record().fit) {
        builder.set_limits(services.machine());
    }
    const bool cleanup = past.data().graph().nodes[past.plan().step(task)].cleanup;
    return builder.build(task, started, cleanup ? failures_of(past.data()) : Value(), attempt).spec;
}

void make_shell(const Services& services, const std::string& command, ForegroundTask& task) {
    const auto shell = services.environment.find("SHELL");
    task.shell = shell == services.environment.end() || shell->second.empty() ? "/bin/sh" : shell->second;
    become_shell(task.spec, task.folder, command);
}

}  // namespace amp
