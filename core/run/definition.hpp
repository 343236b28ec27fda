#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run/run_data.hpp"

namespace amp {

/// A line of a flow's file.
struct FlowLine {
    std::string file;
    std::uint32_t line = 0;
    std::string text;
};

/// One part of a task's definition that is another in another run.
struct DefinitionDifference {
    /// run, shell, env, cwd, outputs, parameter, config, variable, item, input, secrets, flow or source
    std::string part;
    std::string name;    ///< which of them; empty where there is one
    std::string before;  ///< JSON, a hash, or "changed"; empty: it was not there
    std::string after;
    std::optional<FlowLine> old_line;  ///< where it is said, or what it goes back to
    std::optional<FlowLine> new_line;
};

/// A task's definition as SpecBuilder gives it (BuiltTask::parts), and the run that it is of.
struct TaskDefinition {
    const RunData& data;
    const Value& parts;
};

/// Which parts differ, and where; empty when the definitions are equal.
std::vector<DefinitionDifference> definition_differences(const TaskDefinition& before,
                                                         const TaskDefinition& after,
                                                         const std::string& step);

/// Members of two objects that differ, by their dotted paths; lists are compared whole.
struct ValueDifference {
    std::string path;
    std::optional<Value> before;
    std::optional<Value> after;
};
std::vector<ValueDifference> value_differences(const Value& before, const Value& after);

}  // namespace amp
