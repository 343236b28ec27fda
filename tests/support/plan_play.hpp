#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/engine/plan.hpp"

namespace amp::test {

/// A plan with words for events, for short tests of rules. Tasks are named as people name them: "b/1",
/// "b/_@2".
class PlanPlay {
  public:
    /// @param text as graph_of reads it
    explicit PlanPlay(std::string_view text, PlanOptions options = {});

    bool edges(std::string_view task, std::vector<bool> open);
    bool when(std::string_view task, bool open);
    bool items(std::string_view task, std::uint32_t count);
    bool until(std::string_view task, bool done);
    bool fail_decision(Question::Kind kind, std::string_view task);
    bool start(std::string_view task);
    /// Ends its current or next attempt.
    bool end(std::string_view task, Cause cause = Cause::none, bool never_retry = false);
    bool apply(const PlanEvent& event) { return plan.apply(event, now); }
    void wait(double seconds);

    /// "a/_ succeeded, b/0 ready": all tasks with states, in the order of the file and then by index.
    std::string tasks() const;
    std::string state(std::string_view task) const;
    std::uint32_t attempt(std::string_view task) const;
    TaskId id(std::string_view task) const;
    /// The names of take_ready: "a/_ b/0".
    std::string take_ready(std::size_t max = 1000);
    std::string take_cancels();
    /// "when b/_, items c/_" of take_questions.
    std::string take_questions();
    std::string run() const { return std::string(state_name(plan.state())); }

    const Graph graph;
    Plan plan;
    Timestamp now{1'000'000};

  private:
    std::string name(TaskId task) const;
    std::string names(const std::vector<TaskId>& tasks) const;
};

}  // namespace amp::test
