#include <fmt/format.h>

#include <set>

#include "core/base/error.hpp"
#include "core/run/inspect.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/lease.hpp"
#include "core/store/packs.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr double k_follow_seconds = 0.1;

bool wanted(const LogQuery& query, const TaskName& task, std::uint32_t attempt) {
    return (query.step.empty() || task.step == query.step) &&
           (!query.index || (task.index.path == query.index->path &&
                             (query.index->round == 0 || task.index.round == query.index->round))) &&
           (!query.attempt || attempt == *query.attempt);
}

/// Which attempts the query means, when it does not say: of each task the last, of a repetition the last of
/// each round.
std::set<std::pair<TaskName, std::uint32_t>> last_attempts(const RunView& view) {
    std::map<TaskName, std::uint32_t> last;
    for (const TaskView& task : view.tasks) {
        for (const AttemptResult& attempt : task.attempts) {
            last[attempt.task] = attempt.attempt;
        }
        if (task.running_since) {
            last[task.name] = task.attempt;
        }
    }
    return {last.begin(), last.end()};
}

/// Everything that lies in the packs now, by task. False when the listener has had enough.
bool read_now(const OpenStore& store, const RunView& view, const LogQuery& query,
              const std::function<bool(const LogLine&)>& each) {
    const auto last = last_attempts(view);
    std::map<std::size_t, std::vector<LogLine>> by_task;
    std::map<std::pair<std::string, std::vector<std::uint32_t>>, std::size_t> rank;
    for (std::size_t i = 0; i < view.tasks.size(); ++i) {
        rank[{view.tasks[i].name.step, view.tasks[i].name.index.path}] = i;
    }
    PackFollower follower(*store.files, view.run);
    follower.poll([&](const PackFrame& frame) {
        const bool chosen = query.attempt || last.contains({frame.task, frame.attempt});
        if (frame.kind != "value" && chosen && wanted(query, frame.task, frame.attempt)) {
            by_task[rank[{frame.task.step, frame.task.index.path}]].push_back(
                LogLine{frame.task, frame.attempt, frame.at, frame.kind == "note", frame.bytes});
        }
    });
    for (const auto& [task, lines] : by_task) {
        for (const LogLine& line : lines) {
            if (!each(line)) {
                return false;
            }
        }
    }
    return true;
}

void follow(Services& services, const OpenStore& store, const std::string& run, const LogQuery& query,
            const std::function<bool(const LogLine&)>& each) {
    const RunRecord record = run_record_from(read_run(*store.objects, run));
    PackFollower follower(*store.files, run);
    bool more = true;
    while (more) {
        // Asked before the packs are read, so that what a driver wrote last is not missed.
        const bool driven = is_driven(*store.objects, *store.files, services.clock, run, services.host) ||
                            !live_starts(store, run).empty() || awaits_driver(services, store, record);
        follower.poll([&](const PackFrame& frame) {
            if (more && frame.kind != "value" && wanted(query, frame.task, frame.attempt)) {
                more = each(LogLine{frame.task, frame.attempt, frame.at, frame.kind == "note", frame.bytes});
            }
        });
        if (!driven || services.waiter.interrupts() > 0 || services.waiter.terminating_signal() != 0) {
            return;
        }
        services.waiter.wait(-1, k_follow_seconds);
    }
}

}  // namespace

void check_task(const RunView& view, const std::string& step, const std::optional<TaskIndex>& index) {
    bool step_found = step.empty();
    bool task_found = !index.has_value();
    for (const StepView& known : view.steps) {
        step_found = step_found || known.name == step;
    }
    for (const TaskView& task : view.tasks) {
        task_found = task_found || (index && task.name.step == step && task.name.index.path == index->path);
    }
    if (!step_found || !task_found) {
        const std::string name = step + (index ? "/" + index->text() : "");
        throw Error(ExitCode::not_found,
                    fmt::format("run {} has no {} '{}'", view.run, step_found ? "task" : "step", name),
                    view.run, fmt::format("`amp show {}` lists its steps and tasks", view.run));
    }
}

void read_logs(Services& services, const Project& project, const LogQuery& query,
               const std::function<bool(const LogLine&)>& each) {
    const RunView view = view_run(services, project, query.run);
    const OpenStore store = services.open_store(project.store_folder, false);
    const bool ended = view.state != "running" && view.state != "pending";
    if (!query.follow || ended) {
        check_task(view, query.step, query.index);
        read_now(store, view, query, each);
        return;
    }
    follow(services, store, view.run, query, each);
}

}  // namespace amp
