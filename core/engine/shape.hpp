#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/flow/graph.hpp"

namespace amp::engine {

/// What can be known of a graph before anything runs: which steps share a stack, and who waits for whom.
///
/// A level is a stack that steps have: the root, and one below it a foreach step. A frame (frames.hpp) is an
/// instance of a level. A level has a slot for each step with that stack, and one for the head of each
/// foreach right below it.
class Shape {
  public:
    struct Slot {
        StepId step = 0;
        bool head = false;
    };
    struct Level {
        std::uint32_t parent = 0;
        std::uint32_t depth = 0;
        std::vector<Slot> slots;
        std::vector<StepId>
            tracked;  ///< steps whose ended tasks are counted here, because a join closes the level
        std::uint32_t steps_begin = 0;
        std::uint32_t steps_end = 0;  ///< of steps_by_level: all steps of this level and below
    };
    struct Join {
        StepId step = 0;
        std::uint32_t depth = 0;  ///< of the joining step's stack
    };
    struct Step {
        std::uint32_t level = 0;
        std::uint32_t slot = 0;
        /// Where its needs are counted: its own slot, or for a foreach that of its head.
        std::uint32_t gate_level = 0;
        std::uint32_t gate_slot = 0;
        std::vector<StepId> next;  ///< who needs it without closing anything, an entry an edge
        std::vector<Join> joins;   ///< who needs it and closes
        std::vector<std::uint32_t>
            tracked_at;          ///< places in Level::tracked, its own level first, then outwards
        bool after_end = false;  ///< at_end, or a descendant of such a step
        // Of a foreach, for when it is not expanded:
        std::vector<StepId> head_joins;    ///< steps whose join over it is then over, an entry an edge
        std::vector<StepId> head_tracked;  ///< steps below it that are tracked in the level around
    };

    explicit Shape(const Graph& graph);

    const Level& level(std::uint32_t number) const { return levels_[number]; }
    const Step& step(StepId id) const { return steps_[id]; }
    /// All steps of a level and below.
    std::span<const StepId> steps_below(std::uint32_t level) const;
    const std::vector<StepId>& at_end() const { return at_end_; }

  private:
    void add_levels(const Graph& graph);
    void add_edges(const Graph& graph);
    void add_tracking(const Graph& graph, StepId id);
    void order_steps();

    std::vector<Level> levels_;
    std::vector<Step> steps_;
    std::vector<StepId> steps_by_level_;
    std::vector<StepId> at_end_;
};

}  // namespace amp::engine
