#include "core/run/reuse.hpp"

#include "core/run/given.hpp"

namespace amp {
namespace {

bool is_kept(TaskState state) {
    return state == TaskState::cached || state == TaskState::skipped;
}

/// The first step that it needs and that was not reused.
std::optional<StepId> need_that_ran(const RunData& data, StepId step, const TaskIndex& index) {
    for (const Graph::Edge& edge : data.graph().nodes[step].needs) {
        const std::size_t depth = data.graph().nodes[edge.from].stack.size() - edge.closes;
        if (edge.closes == 0 && depth <= index.path.size()) {
            const TaskIndex at{{index.path.begin(), index.path.begin() + static_cast<std::ptrdiff_t>(depth)},
                               0};
            const auto task = data.plan().find(edge.from, at);
            if (task && !is_kept(data.plan().state(*task))) {
                return edge.from;
            }
            continue;
        }
        const Plan::Counts& counts = data.plan().counts(edge.from);
        for (std::size_t state = 0; state < k_task_states; ++state) {
            if (counts[state] > 0 && !is_kept(static_cast<TaskState>(state))) {
                return edge.from;
            }
        }
    }
    return std::nullopt;
}

}  // namespace

Reuse find_reuse(const RunData& data, TaskId task, const std::string& definition, const RunData& origin) {
    const StepId step = data.plan().step(task);
    const TaskIndex index = data.plan().index(task);
    const StepId theirs = origin.graph().id(data.graph().nodes[step].name);
    Reuse found;
    if (theirs < origin.graph().nodes.size()) {
        found.old = origin.plan().find(theirs, index);
    }
    if (!found.old) {
        return found;
    }
    const TaskState state = origin.plan().state(*found.old);
    found.ran = need_that_ran(data, step, index);
    if (state != TaskState::succeeded && state != TaskState::cached) {
        found.verdict = Reuse::Verdict::not_succeeded;
    } else if (data.graph().nodes[step].cleanup ||
               is_asked_for(data.record(), data.graph().nodes[step].name)) {
        found.verdict = Reuse::Verdict::again;
    } else if (origin.definition(*found.old) != definition) {
        found.verdict = Reuse::Verdict::changed;
    } else {
        found.verdict = found.ran ? Reuse::Verdict::needs_ran : Reuse::Verdict::reused;
    }
    return found;
}

Value failures_of(const RunData& data) {
    List out;
    const Plan& plan = data.plan();
    for (TaskId task = 0; task < plan.task_count(); ++task) {
        const Value* error = plan.state(task) == TaskState::failed ? data.error(task) : nullptr;
        if (error) {
            Object entry = error->as_object();
            entry.emplace("task", TaskName{data.step(plan.step(task)).name, plan.index(task)}.text());
            entry.emplace("attempt", static_cast<std::int64_t>(plan.attempt(task)));
            out.push_back(std::move(entry));
        }
    }
    return out;
}

std::string maker_of(const RunData& origin, TaskId task) {
    std::string made_by = origin.made_by(task);
    if (made_by.empty()) {
        const TaskName name{origin.step(origin.plan().step(task)).name, origin.plan().index(task)};
        made_by = origin.record().run + "/" + name.text();
    }
    return made_by;
}

}  // namespace amp
