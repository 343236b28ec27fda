#include "core/run/shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/bring_home.hpp"
#include "core/run/checkout.hpp"
#include "core/run/decisions.hpp"
#include "core/run/holds.hpp"
#include "core/run/past_task.hpp"
#include "core/run/reference.hpp"
#include "core/run/secrets.hpp"
#include "core/run/shell_elsewhere.hpp"
#include "core/run/spec_builder.hpp"
#include "core/run/start.hpp"
#include "core/run/task_text.hpp"
#include "core/run/visit.hpp"
#include "core/store/keeper_log.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_at_once = 4096;

/// What is laid for a shell goes with it.
class TemporaryFolder {
  public:
    explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  private:
    std::string path_;
};

/// The folder that a living keeper holds for an attempt; empty: none does.
std::string held_folder(const OpenStore& store, const std::string& run, const Hold& hold) {
    std::string folder;
    for (const std::uint32_t number : keeper_epochs(store, run)) {
        if (!store.files->locked(layout::keeper_log(run, number))) {
            continue;
        }
        read_keeper_log(*store.files, run, number, [&](const Record& record) {
            const bool its = get_string(record.payload, "task") == hold.task &&
                             get_int(record.payload, "attempt", 1) == std::int64_t{hold.attempt};
            if (its && (record.type == "hold" || record.type == "freed")) {
                folder = record.type == "hold" ? get_string(record.payload, "folder") : std::string();
            }
        });
    }
    return folder;
}

/// It is held, and somebody drives the run: else its keeper frees it in a moment.
std::optional<Hold> find_hold(Services& services, const OpenStore& store, const std::string& run,
                              const TaskName& task) {
    auto hold = read_hold(*store.objects, run, task.text());
    const bool alive = hold && services.clock.now() < hold->over() &&
                       is_driven(*store.objects, *store.files, services.clock, run, services.host);
    return alive ? hold : std::nullopt;
}

ShellEnd enter_held(Services& services, const Project& project, const OpenStore& store, const PastRun& past,
                    TaskId id, const Hold& hold, const ShellQuery& query,
                    const std::function<void(const ShellBegin&)>& begins) {
    ForegroundTask task;
    task.folder = held_folder(store, past.run, hold);
    if (task.folder.empty()) {
        throw Error(ExitCode::not_found,
                    fmt::format("the keeper that holds the place of {} is gone", hold.task), past.run);
    }
    Visit visit(services, store, past.run, hold.task);
    task.spec = build_past_spec(services, store, past, id, hold.attempt, services.clock.now(), std::string());
    task.spec.hold_s = std::max(0.001, hold.until.seconds_since(services.clock.now()));
    ShellEnd end;
    end.begin = {past.run,
                 task.spec.task,
                 hold.attempt,
                 task.folder,
                 task.spec.cwd.empty() ? task.folder : task.spec.cwd,
                 hold.until};
    if (!task.spec.secrets.empty()) {
        task.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    make_shell(services, query.command, task);
    task.output = [&visit](std::string_view) { visit.beat(); };
    begins(end.begin);
    end.result = services.run_foreground(store, task);
    end.freed = visit.leave();
    return end;
}

/// In a folder of its own, which goes with it.
void enter_anew(Services& services, const OpenStore& store, const ShellQuery& query, ForegroundTask& task,
                ShellEnd& end, const std::function<void(const ShellBegin&)>& begins) {
    end.begin.folder = task.folder;
    end.begin.cwd = task.spec.cwd.empty() ? task.folder : task.spec.cwd;
    make_shell(services, query.command, task);
    task.output = [](std::string_view) {};
    bring_home(services, store, task.spec);
    begins(end.begin);
    end.result = services.run_foreground(store, task);
}

/// With the code where it was. @throws Error(not_found) when the task never ran, and so lacks inputs
TaskSpec try_spec(Services& services, const Project& project, const OpenStore& store, const PastRun& past,
                  TaskId id, std::uint32_t attempt, Timestamp started) {
    try {
        return build_past_spec(services, store, past, id, attempt, started, {});
    } catch (const Error&) {
        if (ever_ran(store, past, id)) {
            throw;
        }
        refuse_never_ran(services, project, past.run,
                         {past.data().step(past.plan().step(id)).name, past.plan().index(id)});
    }
}

ShellEnd enter_past(Services& services, const Project& project, const OpenStore& store, const PastRun& past,
                    TaskId id, const ShellQuery& query,
                    const std::function<void(const ShellBegin&)>& begins) {
    ShellEnd end;
    end.begin.run = past.run;
    end.begin.task = {query.step, past.plan().index(id)};
    const auto [attempt, started] = choose_attempt(past, id, std::nullopt);
    end.begin.attempt = attempt;
    TaskSpec spec = try_spec(services, project, store, past, id, attempt, started);
    if (!spec.profile.empty()) {
        return enter_new_elsewhere(services, project, store, past, std::move(spec), query, begins);
    }
    refuse_image(past.read.record->code, past.run);
    const std::string folder = make_task_folder(query.folder);
    const TemporaryFolder temporary(folder);
    ForegroundTask task;
    task.folder = folder + "/task";
    task.spec = build_past_spec(services, store, past, id, attempt, started, folder + "/code");
    end.begin.missing = lay_code(store, past.read.record->code, folder + "/code");
    if (!task.spec.secrets.empty()) {
        task.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    enter_anew(services, store, query, task, end, begins);
    return end;
}

/// What hangs on nothing that a task makes is decided.
void decide_first(RunData& data, const ArtifactLoader& load, Timestamp now) {
    for (bool moved = true; moved;) {
        moved = false;
        for (const Question& question : data.plan().take_questions(k_at_once)) {
            RunEvent answer{.event = DecisionFailed{question}, .at = now};
            try {
                answer = decide(data, question, load, now);
            } catch (const Error& error) {
                answer.message = error.advice();
            }
            moved = data.apply(answer) || moved;
        }
    }
}

/// The step of a flow as it would run now, in the project's folder.
ShellEnd enter_flow(Services& services, const Project& project, const ShellQuery& query,
                    const std::function<void(const ShellBegin&)>& begins) {
    LoadedFlow loaded;
    RunRecord record = prospective_record(services, project, {}, loaded);
    record.created = services.clock.now();
    record.run = make_run_id(record.created, random_bits());
    PastRun past;
    past.run = record.run;
    past.read.flow = recorded_flow(std::move(loaded.flow), std::move(loaded.graph), record);
    past.read.record = std::make_unique<const RunRecord>(std::move(record));
    past.read.data =
        std::make_unique<RunData>(*past.read.record, past.read.flow->flow, past.read.flow->graph);
    const OpenStore store = services.open_store(project.store_folder, true);
    decide_first(
        *past.read.data, [&](const Artifact& artifact) { return read_artifact_value(store, artifact); },
        past.read.record->created);
    const TaskId id = find_past_task(past, query.step, query.index, "amp shell");
    const std::string folder = make_task_folder(query.folder);
    const TemporaryFolder temporary(folder);
    ForegroundTask task;
    task.folder = folder + "/task";
    task.spec = build_past_spec(services, store, past, id, 1, past.read.record->created, {});
    if (!task.spec.secrets.empty()) {
        task.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    ShellEnd end;
    end.begin.task = task.spec.task;
    enter_anew(services, store, query, task, end, begins);
    return end;
}

bool is_step_of_latest(const OpenStore& store, const std::string& run, const std::string& step) {
    const PastRun past = read_past(store, run);
    return past.data().graph().id(step) < past.data().graph().nodes.size();
}

/// The run whose task is meant; empty: the flow as it is now.
std::string choose_run(Services& services, const Project& project, const ShellQuery& query) {
    try {
        const OpenStore store = services.open_store(project.store_folder, false);
        std::string run = resolve_run(*store.objects, query.run);
        return query.any_run && !is_step_of_latest(store, run, query.step) ? std::string() : run;
    } catch (const Error& error) {
        if (query.any_run && error.code() == ExitCode::not_found) {
            return {};
        }
        throw;
    }
}

}  // namespace

ShellEnd open_shell(Services& services, const Project& project, const ShellQuery& query,
                    const std::function<void(const ShellBegin&)>& begins) {
    const std::string run = choose_run(services, project, query);
    if (run.empty()) {
        return enter_flow(services, project, query, begins);
    }
    const OpenStore store = services.open_store(project.store_folder, false);
    const PastRun past = read_past(store, run);
    const TaskId id = find_past_task(past, query.step, query.index, "amp shell");
    if (const auto hold = find_hold(services, store, run, {query.step, past.plan().index(id)})) {
        return hold->profile.empty() ? enter_held(services, project, store, past, id, *hold, query, begins)
                                     : enter_held_elsewhere(services, store, past, *hold, query, begins);
    }
    return enter_past(services, project, store, past, id, query, begins);
}

TaskName free_place(Services& services, const Project& project, const ShellQuery& query, std::string& run) {
    const OpenStore store = services.open_store(project.store_folder, false);
    run = resolve_run(*store.objects, query.run);
    const PastRun past = read_past(store, run);
    const TaskId id = find_past_task(past, query.step, query.index, "amp shell --release");
    TaskName task{query.step, past.plan().index(id)};
    if (!find_hold(services, store, run, task)) {
        throw Error(ExitCode::not_found, fmt::format("no place of {}/{} is held", run, task_text(task)), run,
                    "`amp show` tells which are; `amp run --hold-on-fail 30m` holds those of failed tasks");
    }
    end_hold(*store.objects, run, task.text());
    return task;
}

}  // namespace amp
