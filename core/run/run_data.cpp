#include "core/run/run_data.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/flow/load.hpp"
#include "core/flow/setting.hpp"
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
            artifacts_[*task] = e.artifacts;
            definitions_[*task] = e.definition;
        }
    }
    return true;
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

std::unique_ptr<const RecordedFlow> load_recorded_flow(const RunRecord& record) {
    auto loaded = std::make_unique<RecordedFlow>();
    Diagnostics diagnostics;
    loaded->flow = load_flow(record.flow_source, record.flow_path, diagnostics, record.overrides);
    loaded->graph = build_graph(loaded->flow, diagnostics);
    if (diagnostics.has_errors()) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the flow of run {} is not valid for this version of amp: {}", record.run,
                                diagnostics.sorted().front().message),
                    record.flow_path, fmt::format("use amp {}, which made the run", record.version));
    }
    settle_graph(loaded->graph, loaded->flow, record);
    return loaded;
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
