#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/cell.hpp"
#include "core/engine/shape.hpp"

namespace amp::engine {

/// An instance of a level: the root, or an expanded foreach. Its cells lie together: those of the first slot
/// by index, then those of the next.
struct Frame {
    TaskId base = 0;
    std::uint32_t count = 0;  ///< items
    std::uint32_t level = 0;
    std::uint32_t parent = 0;  ///< the frame around
    std::uint32_t place = 0;   ///< in it
    std::uint32_t blocks = 0;  ///< the first of its blocks
};

/// Counts for a join, of one step in one frame: in how many places have not all its tasks ended?
struct Block {
    std::uint32_t open = 0;
    std::uint32_t failed = 0;     ///< ended places with a task that failed or is blocked
    std::uint32_t cancelled = 0;  ///< ended places with a cancelled task

    void add(Block place) {
        failed += place.failed > 0 ? 1 : 0;
        cancelled += place.cancelled > 0 ? 1 : 0;
    }
    void take(Block place) {
        failed -= place.failed > 0 ? 1 : 0;
        cancelled -= place.cancelled > 0 ? 1 : 0;
    }
};

struct Spot {
    std::uint32_t frame = 0;
    std::uint32_t slot = 0;
    std::uint32_t place = 0;
};

/// The cells of a plan and their numbering. A task's number is its cell's place; a frame's cells follow one
/// another, and frames follow one another in the order of their making, so a number's frame is found by
/// halving.
class Frames {
  public:
    Frames(const Graph& graph, const Shape& shape) : graph_(graph), shape_(shape) {}

    /// All cells waiting; every block open in every place. @throws Error(invalid) when numbers run out
    std::uint32_t add(std::uint32_t level, std::uint32_t count, std::uint32_t parent, std::uint32_t place);

    TaskId size() const { return size_; }
    std::uint32_t frame_count() const { return static_cast<std::uint32_t>(frames_.size()); }
    const Frame& frame(std::uint32_t number) const { return frames_[number]; }
    const Shape::Level& level(std::uint32_t frame) const { return shape_.level(frames_[frame].level); }

    Cell& cell(TaskId task) { return chunks_[task / k_chunk][task % k_chunk]; }
    TaskId id(Spot spot) const {
        const Frame& f = frames_[spot.frame];
        return f.base + spot.slot * f.count + spot.place;
    }
    Spot spot(TaskId task) const;
    const Shape::Slot& slot(Spot spot) const { return level(spot.frame).slots[spot.slot]; }

    /// Where the needs of `step` are counted, for the same place of a frame of that level.
    TaskId gate(StepId step, std::uint32_t frame, std::uint32_t place) const {
        return id({frame, shape_.step(step).gate_slot, place});
    }
    /// The place in the frame `depth` levels deep that is around `place` of `frame`, or that itself.
    Spot around(std::uint32_t frame, std::uint32_t place, std::uint32_t depth) const;
    /// The frame of the foreach on `step`'s stack below a place; nullopt when it is not expanded.
    std::optional<std::uint32_t> below(StepId step, std::uint32_t frame, std::uint32_t place);
    /// The cell of a step: of a task, or with a path one shorter the head of a foreach.
    std::optional<TaskId> locate(StepId step, std::span<const std::uint32_t> path);
    std::vector<std::uint32_t> path(Spot spot) const;

    /// nullptr when no join counts the step there.
    Block* block(StepId step, std::uint32_t frame);

  private:
    static constexpr TaskId k_chunk = 1024;

    const Graph& graph_;
    const Shape& shape_;
    std::vector<std::unique_ptr<Cell[]>> chunks_;
    TaskId size_ = 0;
    std::vector<Frame> frames_;
    std::vector<Block> blocks_;
};

}  // namespace amp::engine
