#include "core/run/given.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/reuse.hpp"

namespace amp {
namespace {

bool names(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_whole(TaskState state) {
    return state == TaskState::succeeded || state == TaskState::caught || state == TaskState::cached ||
           state == TaskState::skipped;
}

}  // namespace

Given::Given(const RunData& data, const RunData* origin) : data_(data), origin_(origin) {
    const RunRecord& record = data.record();
    for (const Graph::Node& node : data.graph().nodes) {
        given_.push_back(!record.only.empty() && !names(record.only, node.name));
    }
}

StepId Given::theirs(StepId step) const {
    const std::string& name = data_.graph().nodes[step].name;
    const StepId id = origin_ ? origin_->graph().id(name) : 0;
    if (!origin_ || id >= origin_->graph().nodes.size()) {
        throw Error(ExitCode::not_found,
                    fmt::format("run {} has no result of '{}'", data_.record().origin, name));
    }
    return id;
}

std::optional<TaskId> Given::their_task(StepId step, const TaskIndex& index) const {
    return origin_->plan().find(theirs(step), index);
}

RunEvent Given::answer(const Question& q, Timestamp now) const {
    RunEvent event{.event = {}, .at = now};
    const StepId id = theirs(q.step);
    const auto task = their_task(q.step, q.index);
    const bool skipped = task && origin_->plan().state(*task) == TaskState::skipped;
    switch (q.kind) {
        case Question::Kind::edges:
            event.event =
                EdgesDecided{q.step, q.index, std::vector<bool>(data_.step(q.step).needs.size(), !skipped)};
            break;
        case Question::Kind::when:
            event.event = WhenDecided{q.step, q.index, !skipped};
            break;
        case Question::Kind::items: {
            const List* items = origin_->items(id, q.index.path);
            const bool caught = task && origin_->plan().state(*task) == TaskState::caught;
            if (!items && !caught) {
                throw Error(ExitCode::not_found,
                            fmt::format("run {} never came to the list of '{}'", data_.record().origin,
                                        data_.graph().nodes[q.step].name));
            }
            event.items = items ? *items : List();
            event.event = ItemsDecided{q.step, q.index, static_cast<std::uint32_t>(event.items.size())};
            break;
        }
        case Question::Kind::wait:
            event.event = WaitEnded{q.step, q.index};
            break;
        case Question::Kind::until:
            event.event = UntilDecided{q.step, q.index, true};
            break;
    }
    return event;
}

RunEvent Given::result(TaskId task, Timestamp now) const {
    const StepId step = data_.plan().step(task);
    const TaskIndex index = data_.plan().index(task);
    const auto old = their_task(step, index);
    if (!old || !is_whole(origin_->plan().state(*old))) {
        throw Error(ExitCode::not_found, fmt::format("run {} has no result of '{}'", data_.record().origin,
                                                     TaskName{data_.step(step).name, index}.text()));
    }
    RunEvent event{.event = TaskReused{step, index}, .at = now, .definition = origin_->definition(*old)};
    event.from = maker_of(*origin_, *old);
    if (const auto* made = origin_->artifacts(*old)) {
        event.artifacts = *made;
    }
    return event;
}

bool is_asked_for(const RunRecord& record, const std::string& step) {
    return names(record.only, step) || names(record.from, step);
}

void check_given(const RunData& data, const RunData& origin) {
    const Given given(data, &origin);
    for (StepId step = 0; step < data.graph().nodes.size(); ++step) {
        if (!given.is_given(step)) {
            continue;
        }
        const std::string& name = data.graph().nodes[step].name;
        const std::string where = origin.record().run;
        const StepId theirs = origin.graph().id(name);
        if (theirs >= origin.graph().nodes.size()) {
            throw Error(ExitCode::not_found, fmt::format("run {} has no step '{}'", where, name), where,
                        "name a run of this flow that has its result");
        }
        const Plan::Counts& counts = origin.plan().counts(theirs);
        for (std::size_t i = 0; i < k_task_states; ++i) {
            const auto state = static_cast<TaskState>(i);
            if (counts[i] > 0 && !is_whole(state)) {
                throw Error(
                    ExitCode::not_found,
                    fmt::format("run {} has no whole result of '{}': {} {} {}", where, name, counts[i],
                                counts[i] == 1 ? "task is" : "tasks are", state_name(state)),
                    where, fmt::format("finish it first (`amp resume {}`), or name another run", where));
            }
        }
    }
}

}  // namespace amp
