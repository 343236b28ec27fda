#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/run/run_data.hpp"

namespace amp::test {

/// A run in memory whose events a test makes by hand: a flow's text, its record and what it has come to.
class RecordedRun {
  public:
    explicit RecordedRun(std::string flow, Object params = {}) {
        record.run = "261120-081530-k3fx";
        record.flow_path = "/project/flow.toml";
        record.flow_source = std::move(flow);
        record.project_folder = "/project";
        record.params = std::move(params);
        record.created = Timestamp{1'790'000'000'000};
        loaded = load_recorded_flow(record);
        record.flow_name = loaded->flow.name;
        data = std::make_unique<RunData>(record, loaded->flow, loaded->graph);
    }

    StepId step(const std::string& name) const { return loaded->graph.id(name); }

    void items(const std::string& name, TaskIndex around, List values) {
        const auto count = static_cast<std::uint32_t>(values.size());
        REQUIRE(data->apply(
            {.event = ItemsDecided{step(name), std::move(around), count}, .items = std::move(values)}));
    }

    void succeed(const std::string& name, const TaskIndex& index,
                 std::map<std::string, Artifact> artifacts = {}, std::uint32_t attempt = 1) {
        AttemptResult result;
        result.task = TaskName{name, index};
        result.attempt = attempt;
        result.artifacts = std::move(artifacts);
        REQUIRE(data->apply({.event = TaskEnded{step(name), index, attempt, Cause::none, false},
                             .result = result,
                             .definition = "d"}));
    }

    void fail(const std::string& name, const TaskIndex& index, Cause cause, std::string message,
              std::uint32_t attempt = 1) {
        AttemptResult result;
        result.task = TaskName{name, index};
        result.attempt = attempt;
        result.cause = cause;
        result.exit = 3;
        result.message = std::move(message);
        REQUIRE(data->apply({.event = TaskEnded{step(name), index, attempt, cause, false},
                             .result = result,
                             .log_tail = "last line\n"}));
    }

    RunRecord record;
    std::unique_ptr<const RecordedFlow> loaded;
    std::unique_ptr<RunData> data;
};

inline Artifact value_artifact(Value value) {
    const std::string text = json::dump(value);
    return Artifact{Artifact::Kind::value, std::move(value), sha256_hex(text), text.size(), {}, 0};
}

inline Artifact file_artifact(char digit = 'f') {
    return Artifact{Artifact::Kind::file, {}, std::string(64, digit), 10, {}, 0};
}

}  // namespace amp::test
