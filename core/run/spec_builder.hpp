#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/backend.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/run_data.hpp"
#include "core/run/run_scope.hpp"
#include "core/run/step_uses.hpp"
#include "core/run/sub_runs.hpp"

namespace amp {

/// A task ready to be handed out, with the hash of its definition.
struct BuiltTask {
    TaskSpec spec;
    std::string definition;
    std::optional<ChildFlow> child;  ///< of a step that runs a flow: then `spec` has no command
    std::vector<std::string> cuts;   ///< of its requests, to fit it in: "2 of 64 cpu"
    Value parts;                     ///< what `definition` is the hash of, by name
};

/// Makes task specs: evaluates a step's expressions at a task. What does not depend on the task is worked out
/// once a step.
class SpecBuilder {
  public:
    /// @param load reads artifacts that are not in line
    SpecBuilder(const RunData& data, ArtifactLoader load);

    /// The code lies in another folder than the record's.
    void set_project_folder(std::string folder) { project_folder_ = std::move(folder); }

    /// Requests are cut down to what this machine has (`--fit`).
    void set_limits(const Capacity& machine) { limits_ = machine; }

    /// @param failures for clean-up steps: the content of $AMP_FAILURES; null: none
    /// @param attempt 0: the plan's
    /// @throws Error(invalid) when an expression fails
    BuiltTask build(TaskId task, Timestamp now, const Value& failures = {}, std::uint32_t attempt = 0);

  private:
    struct Prepared {
        StepUses uses;
        Object definition;  ///< what of the definition is the same for all tasks of the step
        std::vector<std::pair<std::string, LateText>> params_env;
        std::vector<std::pair<std::string, std::string>> secrets;  ///< variables and keys
        LateText params;  ///< AMP_PARAMS; empty: too long, then `long_params`
        Value long_params;
        std::optional<Resources> resources;  ///< when they are the same for all tasks
        std::optional<Gang> gang;            ///< where `resources` are
        std::optional<double> timeout_s;
        std::optional<std::string> profile;  ///< whose backend has them; empty: this machine
        std::vector<TaskInput> param_files;
    };
    const Prepared& prepare(StepId id);
    void prepare_params(Prepared& p, const Step& step, const Value& params) const;
    void prepare_definition(Prepared& p, const Step& step, const Value& params) const;
    void add_command(TaskSpec& spec, const Step& step, const Scope& scope) const;
    void add_cache_folders(TaskSpec& spec, const Step& step, const Scope& scope) const;
    void add_identity(TaskSpec& spec, const Step& step, const TaskIndex& index) const;
    void add_item(TaskSpec& spec, StepId id, const RunScope& scope, Object& definition) const;
    void add_inputs(TaskSpec& spec, const Step& step, const RunScope& scope, Object& definition) const;

    const RunData& data_;
    ArtifactLoader load_;
    std::string project_folder_;
    std::optional<Capacity> limits_;
    std::map<StepId, Prepared> prepared_;
};

}  // namespace amp
