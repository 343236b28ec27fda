#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/graph.hpp"
#include "core/flow/model.hpp"

namespace amp {

/// Where in a step an expression stands: what it may refer to depends on it.
enum class Site {
    foreach,  ///< before the items are known
    edge,     ///< the `when` of a need
    when,
    until,
    command,  ///< run, env, cwd: at the task's start, with its outputs' places
    input,
    start,  ///< resources, timeout, image, …: at the task's start
    whole,  ///< limit and priority: for all tasks of the step
};

/// An expression of a step with its site.
struct SiteExpression {
    Site site = Site::command;
    Expression expression;
    const Need* need = nullptr;  ///< of an edge
    bool later = false;          ///< of a key that is not acted upon yet
    bool rescued = false;        ///< of a key with a mistake elsewhere
};
/// The parameter whose value the whole expression is (`params.NAME`), where that is a secret.
std::optional<std::string> secret_parameter(const Expression& expression, const Flow& flow);

/// All of them, in no particular order.
std::vector<SiteExpression> expressions_of(const Step& step);

/// The names that a step's command visibly makes without declaring them: `amp put NAME`, `$AMP_OUT/NAME`.
std::vector<std::string> visible_artifacts(const Step& step);

/// Who makes which artifact.
class ArtifactIndex {
  public:
    explicit ArtifactIndex(const Flow& flow);

    bool makes(StepId step, std::string_view name) const;
    /// In the order of the file; empty when nobody does.
    const std::vector<StepId>& makers(std::string_view name) const;
    /// All names of a step, declared ones first.
    const std::vector<std::string>& names(StepId step) const { return names_[step]; }

  private:
    /// @return false when it was known already
    bool add_maker(const std::string& name, StepId step);

    std::vector<std::vector<std::string>> names_;
    std::map<std::string, std::vector<StepId>, std::less<>> makers_;
};

/// Questions about which step comes before which, answered many at a time: linear in the graph for each 64
/// steps asked about, and most are answered at once.
class Reach {
  public:
    explicit Reach(const Graph& graph);

    using Ticket = std::size_t;
    /// Does `ancestor` come before `step` by its needs? Ask all, then answer_all(), then read.
    Ticket ask(StepId ancestor, StepId step);
    void answer_all();
    bool answer(Ticket ticket) const { return questions_[ticket].yes; }

    /// If `step` runs (and is no clean-up), has `ancestor` surely run, and was not skipped?
    bool surely_ran(StepId ancestor, StepId step) const;
    /// Is every way from the roots to `step` one through `ancestor`?
    bool dominates(StepId ancestor, StepId step) const;
    /// In the order of the graph.
    bool is_before(StepId a, StepId b) const { return position_[a] < position_[b]; }

    /// For every step the one maker among its ancestors: none, one, or several (then two of them).
    struct Makers {
        StepId first;
        StepId second;
    };
    std::vector<Makers> makers_before(const std::vector<StepId>& makers) const;
    StepId none() const { return static_cast<StepId>(graph_.nodes.size()); }

  private:
    struct Question {
        StepId ancestor;
        StepId step;
        bool open;
        bool yes;
    };
    void build_dominators();
    StepId common_dominator(StepId a, StepId b) const;
    void sweep(const std::vector<StepId>& targets, std::vector<Ticket>::const_iterator begin,
               std::vector<Ticket>::const_iterator end);

    const Graph& graph_;
    std::vector<std::size_t> position_;
    std::vector<bool> never_skips_;
    // The tree of dominators below a root that stands before all steps, with jumps for logarithmic walks.
    std::vector<StepId> parent_;
    std::vector<StepId> jump_;
    std::vector<std::uint32_t> depth_;
    std::vector<Question> questions_;
};

}  // namespace amp
