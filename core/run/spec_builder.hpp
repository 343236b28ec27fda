#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/task_spec.hpp"
#include "core/run/run_data.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/step_uses.hpp"

namespace amp {

/// A task ready to be handed out, with the hash of its definition.
struct BuiltTask {
    TaskSpec spec;
    std::string definition;
};

/// Makes task specs: evaluates a step's expressions at a task. What does not depend on the task is worked out
/// once a step.
class SpecBuilder {
  public:
    /// @param load reads artifacts that are not in line
    SpecBuilder(const RunData& data, ArtifactLoader load);

    /// @param failures for clean-up steps: the content of $AMP_FAILURES; null: none
    /// @throws Error(invalid) when an expression fails
    BuiltTask build(TaskId task, Timestamp now, const Value& failures = {});

  private:
    struct Prepared {
        StepUses uses;
        Object definition;  ///< what of the definition is the same for all tasks of the step
        std::vector<std::pair<std::string, LateText>> params_env;
        Value params;
        std::optional<Resources> resources;  ///< when they are the same for all tasks
        std::optional<double> timeout_s;
        std::vector<TaskInput> param_files;
    };
    const Prepared& prepare(StepId id);
    void add_command(TaskSpec& spec, const Step& step, const Scope& scope) const;
    void add_identity(TaskSpec& spec, const Step& step, const TaskIndex& index) const;
    void add_item(TaskSpec& spec, StepId id, const RunScope& scope, Object& definition) const;
    void add_inputs(TaskSpec& spec, const Step& step, const RunScope& scope, Object& definition) const;

    const RunData& data_;
    ArtifactLoader load_;
    std::map<StepId, Prepared> prepared_;
};

}  // namespace amp
