#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/flow/expression.hpp"
#include "core/run/run_data.hpp"

namespace amp {

/// What is known before anything runs: params, config, git, env, run.id, flow.name.
class RecordScope : public Scope {
  public:
    RecordScope(const RunRecord& record, std::string flow_name)
        : record_(record), flow_name_(std::move(flow_name)) {}

    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override;
    bool failed(const std::optional<std::string>&) const override { return false; }
    Timestamp now() const override { return record_.created; }

  private:
    const RunRecord& record_;
    std::string flow_name_;
};

/// Reads the value of an artifact that is not in line (from a pack or an object).
using ArtifactLoader = std::function<Value(const Artifact&)>;

/// Where an expression is evaluated: a task, or a foreach as a whole (then the index is the path around it).
struct ScopePosition {
    StepId step = 0;
    TaskIndex index;
    std::uint32_t attempt = 1;
    bool after_round = false;  ///< `until`: the step's own artifacts are those of the round in `index`
};

/// What expressions see at a task: all of RecordScope, and item, index, round, prev, outputs, step, attempt,
/// and the artifacts of the ancestors of the same branch. Remembers the artifacts that were read, since those
/// become the task's inputs.
class RunScope : public Scope {
  public:
    RunScope(const RunData& data, ScopePosition position, const ArtifactLoader& load, Timestamp now);

    std::optional<Value> resolve(const std::string& root, std::span<const Access> path) const override;
    bool failed(const std::optional<std::string>& step) const override;
    Timestamp now() const override { return now_; }

    /// An artifact that an expression read: its place below $AMP_IN ("train/model", in a join
    /// "train/3/model").
    struct Read {
        std::string path;
        std::string name;
        Artifact artifact;
        bool in_join = false;
        bool operator<(const Read& other) const { return path < other.path; }
    };
    const std::set<Read>& reads() const { return reads_; }

  private:
    std::optional<Value> item(std::string_view name) const;
    std::optional<Value> step_reference(StepId step, std::span<const Access> path) const;
    std::optional<Value> bare_reference(const std::string& name, std::span<const Access> path) const;
    std::optional<Value> of_levels(StepId step, std::vector<std::uint32_t> at, std::size_t common,
                                   std::size_t closed, std::span<const Access> path) const;
    Value star(StepId step, const std::vector<std::uint32_t>& at, std::size_t common, std::size_t closed,
               std::span<const Access> rest) const;
    std::optional<Value> previous_round(std::span<const Access> path) const;
    std::optional<Value> of_task(StepId step, const std::vector<std::uint32_t>& at, std::size_t common,
                                 std::span<const Access> path) const;
    Value overview(StepId step, const std::vector<std::uint32_t>& at, std::size_t common) const;
    Value artifact_value(StepId step, const std::vector<std::uint32_t>& at, std::size_t common,
                         const std::string& name, const Artifact& artifact) const;
    bool is_ancestor(StepId step) const;

    const RunData& data_;
    ScopePosition position_;
    const ArtifactLoader& load_;
    Timestamp now_;
    RecordScope record_scope_;
    mutable std::set<Read> reads_;
    mutable std::vector<bool> ancestors_;
};

}  // namespace amp
