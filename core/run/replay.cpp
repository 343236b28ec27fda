#include "core/run/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/error.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/checkout.hpp"
#include "core/run/reference.hpp"
#include "core/run/reuse.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/secrets.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/task_text.hpp"
#include "core/run/why.hpp"
#include "core/store/store.hpp"
#include "core/task/masker.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

/// The run, and which attempts its tasks have come to.
struct Past {
    ReadRun read;
    std::map<TaskId, std::vector<AttemptResult>> attempts;

    const RunData& data() const { return *read.data; }
    const Plan& plan() const { return read.data->plan(); }
};

Past read_past(const OpenStore& store, const std::string& run) {
    Past past;
    past.read = read_whole_run(store, run, [&](const RunEvent& event, std::optional<TaskId> task) {
        if (event.result && task) {
            past.attempts[*task].push_back(*event.result);
        }
    });
    return past;
}

StepId find_step(const Past& past, const std::string& run, const std::string& name) {
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
    throw Error(ExitCode::not_found, fmt::format("run {} has no step '{}'", run, name), run,
                near_hint(name, names, fmt::format("`amp show {}` lists its steps and tasks", run)));
}

/// The task that is meant. @throws Error(not_found), Error(usage)
TaskId find_task(const Past& past, const std::string& run, const ReplayQuery& query) {
    const StepId step = find_step(past, run, query.step);
    const Plan& plan = past.plan();
    std::vector<TaskId> found;
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task) && plan.step(task) == step &&
            (!query.index || plan.index(task).path == query.index->path)) {
            found.push_back(task);
        }
    }
    if (found.size() > 1) {
        throw Error(ExitCode::usage, fmt::format("'{}' has {} tasks", query.step, found.size()), run,
                    fmt::format("name one of them, for instance amp replay {}/{}/{}", run, query.step,
                                plan.index(found.front()).text()));
    }
    if (found.empty()) {
        const std::string name = query.step + (query.index ? "/" + query.index->text() : "");
        throw Error(ExitCode::not_found, fmt::format("run {} has no task '{}'", run, name), run,
                    fmt::format("`amp show {}` lists its steps and tasks", run));
    }
    const std::uint32_t last = plan.index(found.front()).round;
    if (query.index && query.index->round != 0 && query.index->round != last) {
        throw Error(ExitCode::not_found, "only the last round of a repetition can be done again", run,
                    fmt::format("that is round {}", last));
    }
    return found.front();
}

void refuse_subflow(const Past& past, TaskId task, const std::string& run) {
    const Step& step = past.data().step(past.plan().step(task));
    if (!step.subflow.empty()) {
        throw Error(ExitCode::usage, fmt::format("'{}' runs a flow: it is a run of its own", step.name), run,
                    "do a task of that run again; `amp runs --all` lists it");
    }
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

/// Which attempt, and when it was. @throws Error(not_found)
std::pair<std::uint32_t, Timestamp> choose_attempt(const Past& past, TaskId task, const ReplayQuery& query) {
    const auto known = past.attempts.find(task);
    if (known == past.attempts.end() || known->second.empty()) {  // it runs, or was taken over
        const std::uint32_t only = std::max<std::uint32_t>(1, past.plan().attempt(task));
        if (query.attempt && *query.attempt != only) {
            throw Error(ExitCode::not_found, fmt::format("there is no attempt {}", *query.attempt));
        }
        return {only, past.read.record->created};
    }
    const std::vector<AttemptResult>& all = known->second;
    const auto chosen = std::find_if(all.rbegin(), all.rend(), [&](const AttemptResult& attempt) {
        return !query.attempt || attempt.attempt == *query.attempt;
    });
    if (chosen != all.rend()) {
        return {chosen->attempt, chosen->started};
    }
    std::set<std::uint32_t> numbers;
    for (const AttemptResult& attempt : all) {
        numbers.insert(attempt.attempt);
    }
    throw Error(ExitCode::not_found,
                fmt::format("{} has no attempt {}", task_text(known->second.front().task), *query.attempt),
                {}, fmt::format("there are: {}", fmt::join(numbers, ", ")));
}

bool ever_ran(const OpenStore& store, const Past& past, TaskId task, const TaskName& name) {
    if (past.attempts.contains(task) || past.plan().state(task) == TaskState::cached) {
        return true;
    }
    const std::vector<LiveStart> starts = live_starts(store, past.read.record->run);
    return std::any_of(starts.begin(), starts.end(), [&](const LiveStart& start) {
        return start.task.step == name.step && start.task.index.path == name.index.path;
    });
}

/// Absolute. @throws Error(usage) when something lies there
std::string make_folder(const std::string& folder) {
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

std::vector<std::string> outputs_not_there(const TaskSpec& spec, const std::string& task_folder) {
    std::vector<std::string> missing;
    for (const TaskOutput& output : spec.outputs) {
        const bool in_cwd = output.path.starts_with("./");
        const fs::path path = in_cwd ? fs::path(spec.cwd.empty() ? task_folder : spec.cwd) / output.path
                                     : fs::path(task_folder) / "out" / output.path;
        std::error_code unknown;
        const bool there = fs::exists(path, unknown) || fs::exists(path.string() + ".json", unknown);
        const bool told = output.type == TaskOutput::Type::metrics;
        if (!there && !told && !output.optional) {
            missing.push_back(output.name);
        }
    }
    return missing;
}

std::string shell_of(const Services& services) {
    const auto shell = services.environment.find("SHELL");
    return shell == services.environment.end() || shell->second.empty() ? "/bin/sh" : shell->second;
}

TaskSpec build_spec(Services& services, const OpenStore& store, const Past& past, TaskId task,
                    std::uint32_t attempt, Timestamp started, const std::string& code) {
    SpecBuilder builder(past.data(),
                        [&](const Artifact& artifact) { return read_artifact_value(store, artifact); });
    builder.set_project_folder(code);
    if (past.data().record().fit) {
        builder.set_limits(services.machine());
    }
    const bool cleanup = past.data().graph().nodes[past.plan().step(task)].cleanup;
    return builder.build(task, started, cleanup ? failures_of(past.data()) : Value(), attempt).spec;
}

/// What the task prints, without the values of its secrets.
class MaskedOutput {
  public:
    using Listener = std::function<void(std::string_view)>;

    MaskedOutput(const std::vector<Secret>& secrets, Listener tell)
        : masker_(std::make_shared<const MaskPatterns>(secrets)), tell_(std::move(tell)) {}

    void add(std::string_view bytes) {
        std::string out;
        masker_.add(bytes, out);
        masker_.pause(out);
        tell(out);
    }
    void finish() {
        std::string out;
        masker_.finish(out);
        tell(out);
    }

  private:
    void tell(const std::string& out) const {
        if (!out.empty()) {
            tell_(out);
        }
    }

    Masker masker_;
    Listener tell_;
};

}  // namespace

Replay replay_task(Services& services, const Project& project, const ReplayQuery& query,
                   const ReplayListener& listener) {
    const OpenStore store = services.open_store(project.store_folder, false);
    Replay replay;
    ReplayBegin& begin = replay.begin;
    begin.run = resolve_run(*store.objects, query.run);
    const Past past = read_past(store, begin.run);
    const TaskId task = find_task(past, begin.run, query);
    refuse_subflow(past, task, begin.run);
    refuse_image(past.read.record->code, begin.run);
    begin.task = TaskName{query.step, past.plan().index(task)};
    if (!ever_ran(store, past, task, begin.task)) {
        refuse_never_ran(services, project, begin.run, begin.task);
    }
    const auto [attempt, started] = choose_attempt(past, task, query);
    begin.attempt = attempt;
    begin.folder = make_folder(query.folder);

    const std::string code = begin.folder + "/code";
    ForegroundTask foreground;
    foreground.spec = build_spec(services, store, past, task, begin.attempt, started, code);
    begin.cwd = foreground.spec.cwd.empty() ? begin.folder + "/task" : foreground.spec.cwd;
    begin.missing = lay_code(store, past.read.record->code, code);
    foreground.folder = begin.folder + "/task";
    foreground.shell = query.shell ? shell_of(services) : "";
    if (!foreground.spec.secrets.empty()) {
        foreground.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    MaskedOutput output(foreground.secrets, listener.prints);
    foreground.output = [&output](std::string_view bytes) { output.add(bytes); };
    listener.begins(begin);
    replay.result = services.run_foreground(store, foreground);
    output.finish();
    if (!query.shell && replay.result.succeeded()) {
        replay.missing_outputs = outputs_not_there(foreground.spec, foreground.folder);
    }
    return replay;
}

int exit_status(const AttemptResult& result) {
    constexpr int k_by_signal = 128;
    if (result.signal != 0) {
        return k_by_signal + result.signal;
    }
    return result.exit >= 0 ? result.exit : static_cast<int>(ExitCode::infrastructure);
}

}  // namespace amp
