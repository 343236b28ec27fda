#pragma once

#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"
#include "core/flow/references.hpp"

namespace amp::validating {

/// "did you mean 'x'?" for a limited number of findings, so that a file full of mistakes stays linear.
class Suggester {
  public:
    std::string hint(std::string_view word, const std::vector<std::string>& candidates);
    bool spent() const { return used_ >= k_limit; }

  private:
    static constexpr int k_limit = 100;
    int used_ = 0;
};

/// What all checks of one flow share.
struct Context {
    const Flow& flow;
    const Graph& graph;
    const ArtifactIndex& artifacts;
    Reach& reach;
    const Value& config;  ///< the files of [config] as read; null: not known
    Diagnostics& diagnostics;
    Suggester suggester;
    std::set<std::string, std::less<>> params;  ///< their names
    std::set<std::string, std::less<>> used_params;
    bool all_params_used = false;

    std::vector<std::string> params_list() const { return {params.begin(), params.end()}; }
};

/// Names under which items and steps are known: `as` against steps.
void check_loop_names(Context& context);
/// All references of all steps.
void check_references(Context& context);
/// Unused parameters, and such that amp's own options hide.
void check_parameters(Context& context);
/// Paths below the working folder that two tasks could write at once.
void check_shared_outputs(Context& context);

/// params, config, env, git, run, flow, step: the same everywhere. @return false when `use` is none of these
bool check_fixed_root(Context& context, const Expression::Use& use);

/// A use whose step or artifact is being looked for.
struct Lookup {
    StepId step = 0;
    Site site = Site::command;
    const Need* need = nullptr;
    Expression::Use use;
};

/// References to artifacts of other steps: first all are collected, then answered together.
class ArtifactCheck {
  public:
    explicit ArtifactCheck(Context& context) : context_(context) {}
    void add_step_reference(Lookup lookup, StepId target);
    void add_bare_name(Lookup lookup);
    /// failed("step")
    void add_failed(StepId step, const std::string& name, Place place);
    void report();

  private:
    struct Pending {
        Lookup lookup;
        std::vector<StepId> targets;
        std::vector<Reach::Ticket> tickets;
        bool bare = false;
        bool failed_only = false;
    };

    void decide_bare(const Pending& pending);
    void report_bare_nobody(const Lookup& lookup);
    void report_ambiguous(const Lookup& lookup, StepId first, StepId second);
    void report_unreachable(const Lookup& lookup, StepId target);
    /// `path` is what follows the step's name.
    void check_access(const Lookup& lookup, StepId target, const std::vector<Access>& path, bool bare);
    std::size_t skip_levels(const Lookup& lookup, StepId target, const std::vector<Access>& path, bool bare,
                            bool& starred);
    void check_artifact(const Lookup& lookup, StepId target, const std::string& name, bool starred);
    void check_guard(const Lookup& lookup, StepId target, const std::string& name);
    static std::string asked_for(const Lookup& lookup, const std::string& step, const std::string& name);
    std::size_t closed_levels(StepId step, StepId target) const;
    const Graph::Node& node(StepId id) const { return context_.graph.nodes[id]; }

    Context& context_;
    std::deque<Pending> pending_;  ///< many, and large
};

}  // namespace amp::validating
