#include "core/run/failed_below.hpp"

#include "core/base/error.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/run_reader.hpp"

namespace amp {
namespace {

/// The first that ended so; one that never ran where there is no other.
std::optional<TaskName> first_failed(const OpenStore& store, const std::string& run) {
    std::vector<TaskId> ended;
    const ReadRun read = read_whole_run(store, run, [&](const RunEvent& event, std::optional<TaskId> task) {
        if (event.result && task && !event.result->succeeded()) {
            ended.push_back(*task);
        }
    });
    const Plan& plan = read.data->plan();
    const auto name = [&](TaskId task) {
        return TaskName{read.data->step(plan.step(task)).name, plan.index(task)};
    };
    for (const TaskId task : ended) {
        if (plan.state(task) == TaskState::failed) {
            return name(task);
        }
    }
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        if (plan.is_task(task) && plan.state(task) == TaskState::failed) {
            return name(task);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string failed_below(const OpenStore& store, const std::string& run, const TaskName& task) {
    try {
        const auto child = find_child(store, run, task.text());
        if (!child || child->spawned || !child->existed) {
            return "";
        }
        const auto failed = first_failed(store, child->run);
        if (!failed) {
            return child->run;
        }
        const std::string deeper = failed_below(store, child->run, *failed);
        return deeper.empty() ? child->run + "/" + failed->text() : deeper;
    } catch (const Error&) {
        return "";
    }
}

}  // namespace amp
