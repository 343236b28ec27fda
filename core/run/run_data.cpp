#include "core/run/run_data.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/flow/first_error.hpp"
#include "core/flow/load.hpp"
#include "core/flow/setting.hpp"
#include "core/run/partial.hpp"
#include "core/run/run_scope.hpp"

namespace amp {
namespace {

/// So that a replay computes the same back-offs.
std::uint64_t seed_of(const std::string& run) {
    return crc32c(run);
}

Value error_value(const AttemptResult& result, const std::string& log_tail) {
    return Object{{"cause", cause_name(result.cause)},
                  {"exit", result.exit},
                  {"signal", result.signal},
                  {"message", result.message},
                  {"log_tail", log_tail}};
}

Artifact value_artifact(Value value) {
    const std::string text = json::dump(value);
    return Artifact{Artifact::Kind::value, std::move(value), sha256_hex(text), text.size(), {}, 0};
}

}  // namespace

RunData::RunData(const RunRecord& record, const Flow& flow, const Graph& graph)
    : record_(record),
      flow_(flow),
      graph_(graph),
      plan_(graph, PlanOptions{record.keep_going, seed_of(record.run)}) {}

bool RunData::apply(const RunEvent& e) {
    if (std::holds_alternative<RunReopened>(e.event)) {  // what was cancelled while it waited is asked anew
        std::erase_if(waiting_, [&](const auto& entry) { return is_terminal(plan_.state(entry.first)); });
    }
    if (!plan_.apply(e.event, e.at)) {
        return false;
    }
    if (const auto* decided = std::get_if<ItemsDecided>(&e.event)) {
        items_[{decided->step, decided->index.path}] = e.items;
    } else if (const auto* ended = std::get_if<TaskEnded>(&e.event)) {
        if (const auto task = plan_.find(ended->step, ended->index); task && e.result) {
            keep_end(*task, e);
        }
    } else if (const auto* reused = std::get_if<TaskReused>(&e.event)) {
        if (const auto task = plan_.find(reused->step, reused->index)) {
            keep_reused(*task, e);
        }
    } else if (const auto* waits = std::get_if<WaitBegan>(&e.event)) {
        if (const auto task = plan_.find(waits->step, waits->index)) {
            waiting_.try_emplace(*task, Waiting{e.at, e.message});
        }
    } else if (const auto* over = std::get_if<WaitEnded>(&e.event)) {
        if (const auto task = plan_.find(over->step, over->index)) {
            waiting_.erase(*task);
        }
    } else if (const auto* failed = std::get_if<DecisionFailed>(&e.event)) {
        keep_failed_decision(*failed, e);
    }
    return true;
}

void RunData::keep_reused(TaskId task, const RunEvent& e) {
    if (std::get<TaskReused>(e.event).index.round > 1) {
        round_before_[task] = std::move(artifacts_[task]);
    }
    artifacts_[task] = e.artifacts;
    definitions_[task] = e.definition;
    made_by_[task] = e.from;
    errors_.erase(task);
}

void RunData::keep_failed_decision(const DecisionFailed& failed, const RunEvent& e) {
    const auto task = plan_.find(failed.question.step, failed.question.index);
    if (!task) {
        return;
    }
    waiting_.erase(*task);
    AttemptResult result;
    result.cause = failed.cause;
    result.exit = -1;
    result.message = e.message;
    errors_[*task] = error_value(result, {});
    if (plan_.state(*task) == TaskState::caught) {
        artifacts_[*task].insert_or_assign(step(plan_.step(*task)).catch_as, value_artifact(errors_[*task]));
    }
}

void RunData::keep_end(TaskId task, const RunEvent& e) {
    if (e.result->succeeded()) {
        if (e.result->task.index.round > 1) {
            round_before_[task] = std::move(artifacts_[task]);
        }
        if (!e.result->artifacts.empty()) {
            artifacts_[task] = e.result->artifacts;
        } else {
            artifacts_.erase(task);
        }
        errors_.erase(task);
        if (!e.definition.empty()) {
            definitions_[task] = e.definition;
        }
        return;
    }
    errors_[task] = error_value(*e.result, e.log_tail);
    if (plan_.state(task) == TaskState::caught) {
        auto made = e.result->artifacts;
        made.insert_or_assign(step(plan_.step(task)).catch_as, value_artifact(errors_[task]));
        artifacts_[task] = std::move(made);
    }
}

const List* RunData::items(StepId step, const std::vector<std::uint32_t>& around) const {
    const auto it = items_.find({step, around});
    return it == items_.end() ? nullptr : &it->second;
}

const std::map<std::string, Artifact>* RunData::artifacts(TaskId task) const {
    const auto it = artifacts_.find(task);
    return it == artifacts_.end() ? nullptr : &it->second;
}

const std::map<std::string, Artifact>* RunData::artifacts_of_round_before(TaskId task) const {
    const auto it = round_before_.find(task);
    return it == round_before_.end() ? nullptr : &it->second;
}

const Value* RunData::error(TaskId task) const {
    const auto it = errors_.find(task);
    return it == errors_.end() ? nullptr : &it->second;
}

std::string RunData::definition(TaskId task) const {
    const auto it = definitions_.find(task);
    return it == definitions_.end() ? std::string() : it->second;
}

std::string RunData::made_by(TaskId task) const {
    const auto it = made_by_.find(task);
    return it == made_by_.end() || plan_.state(task) != TaskState::cached ? std::string() : it->second;
}

const RunData::Waiting* RunData::waiting(TaskId task) const {
    const auto it = waiting_.find(task);
    return it == waiting_.end() || plan_.state(task) != TaskState::waiting ? nullptr : &it->second;
}

std::unique_ptr<const RecordedFlow> load_recorded_flow(const RunRecord& record) {
    Diagnostics diagnostics;
    Flow flow = load_flow(record.flow_source, record.flow_path, diagnostics, record.overrides);
    Graph graph = build_graph(flow, diagnostics);
    if (diagnostics.has_errors()) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the flow of run {} is not valid for this version of amp: {}", record.run,
                                first_error(diagnostics).message),
                    record.flow_path, fmt::format("use amp {}, which made the run", record.version));
    }
    return recorded_flow(std::move(flow), std::move(graph), record);
}

std::unique_ptr<const RecordedFlow> recorded_flow(Flow flow, Graph graph, const RunRecord& record) {
    auto recorded = std::make_unique<RecordedFlow>(RecordedFlow{std::move(flow), std::move(graph)});
    recorded->flow.path = record.flow_path;
    leave_outside(recorded->flow, recorded->graph, record);
    settle_graph(recorded->graph, recorded->flow, record);
    return recorded;
}

void settle_graph(Graph& graph, const Flow& flow, const RunRecord& record) {
    const RecordScope scope(record, flow.name);
    for (StepId id = 0; id < graph.nodes.size() && id < flow.steps.size(); ++id) {
        const Step& step = flow.steps[id];
        if (step.limit) {
            graph.nodes[id].limit =
                static_cast<std::uint32_t>(setting_int(*step.limit, scope, "limit", 1, 1000000));
        }
        if (step.priority) {
            graph.nodes[id].priority =
                static_cast<std::int32_t>(setting_int(*step.priority, scope, "priority", -1000000, 1000000));
        }
    }
}

}  // namespace amp
