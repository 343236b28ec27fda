#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/naive_plan.hpp"

namespace amp::test {

/// A plan, the naive model and a replay of the plan's events, side by side, on one graph with random events.
class PlanDuel {
  public:
    PlanDuel(Graph graph, PlanOptions options, std::uint64_t seed);

    /// Random steps until the run has ended and was reopened some times, or so many.
    /// @return what differed, in words; empty: nothing
    std::string fight(std::size_t steps);

  private:
    std::size_t below(std::size_t n) { return random_() % n; }
    bool one_in(std::size_t n) { return below(n) == 0; }

    void step();
    void apply(const PlanEvent& event, const std::string& what);
    void answer(const Question& question);
    void end_task(const NaivePlan::Key& key, const NaivePlan::Task& task);
    void disturb();
    void take_ready();
    void take_questions();
    Cause random_cause();

    void check();
    void check_tasks();
    void check_counts();
    void check_replay();
    void check_questions_of_replay();
    void differ(const std::string& what);

    const Graph graph_;
    const PlanOptions options_;
    std::mt19937_64 random_;
    Plan plan_;
    Plan replay_;
    NaivePlan naive_;
    std::vector<std::pair<PlanEvent, Timestamp>> journal_;
    std::vector<Question> taken_;
    Timestamp now_{1'000'000};
    bool adopted_ =
        false;  ///< a task started without take_ready: the order of ready tasks is not checked any more
    bool revived_ = false;  ///< questions may be withdrawn and asked again
    bool strayed_ = false;  ///< a task was adopted that waits: replays are not compared any more
    std::size_t reopened_ = 0;
    std::string last_;
    std::vector<std::string> history_;
    std::string difference_;
};

}  // namespace amp::test
