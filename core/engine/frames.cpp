#include "core/engine/frames.hpp"

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"

namespace amp::engine {

std::uint32_t Frames::add(std::uint32_t level, std::uint32_t count, std::uint32_t parent,
                          std::uint32_t place) {
    const Shape::Level& shape = shape_.level(level);
    const std::uint64_t cells = std::uint64_t{count} * shape.slots.size();
    if (size_ + cells >= std::numeric_limits<TaskId>::max()) {
        throw Error(ExitCode::invalid, "the run would have more than 4,294,967,294 tasks");
    }
    frames_.push_back({size_, count, level, parent, place, static_cast<std::uint32_t>(blocks_.size())});
    blocks_.insert(blocks_.end(), shape.tracked.size(), Block{count, 0, 0});
    size_ += static_cast<TaskId>(cells);
    while (std::uint64_t{chunks_.size()} * k_chunk < size_) {
        chunks_.push_back(std::make_unique<Cell[]>(k_chunk));
    }
    return frame_count() - 1;
}

Spot Frames::spot(TaskId task) const {
    // Of frames with the same base all but the last are empty.
    const auto after = std::upper_bound(frames_.begin(), frames_.end(), task,
                                        [](TaskId t, const Frame& f) { return t < f.base; });
    const auto number = static_cast<std::uint32_t>(after - frames_.begin() - 1);
    const std::uint32_t offset = task - frames_[number].base;
    return {number, offset / frames_[number].count, offset % frames_[number].count};
}

Spot Frames::around(std::uint32_t frame, std::uint32_t place, std::uint32_t depth) const {
    while (level(frame).depth > depth) {
        place = frames_[frame].place;
        frame = frames_[frame].parent;
    }
    return {frame, 0, place};
}

std::optional<std::uint32_t> Frames::below(StepId step, std::uint32_t frame, std::uint32_t place) {
    const StepId foreach = graph_.nodes[step].stack[level(frame).depth];
    const Cell& head = cell(gate(foreach, frame, place));
    return head.expanded ? std::optional(head.round) : std::nullopt;
}

std::optional<TaskId> Frames::locate(StepId step, std::span<const std::uint32_t> path) {
    if (step >= graph_.nodes.size()) {
        return std::nullopt;
    }
    const Graph::Node& node = graph_.nodes[step];
    const bool head = node.foreach && path.size() + 1 == node.stack.size();
    if (!head && path.size() != node.stack.size()) {
        return std::nullopt;
    }
    std::uint32_t frame = 0;
    std::uint32_t place = 0;
    for (const std::uint32_t index : path) {
        const auto child = below(step, frame, place);
        if (!child || index >= frames_[*child].count) {
            return std::nullopt;
        }
        frame = *child;
        place = index;
    }
    return head ? gate(step, frame, place) : id({frame, shape_.step(step).slot, place});
}

std::vector<std::uint32_t> Frames::path(Spot spot) const {
    std::vector<std::uint32_t> path(level(spot.frame).depth);
    for (std::size_t i = path.size(); i-- > 0;) {
        path[i] = spot.place;
        spot.place = frames_[spot.frame].place;
        spot.frame = frames_[spot.frame].parent;
    }
    return path;
}

Block* Frames::block(StepId step, std::uint32_t frame) {
    const Shape::Step& s = shape_.step(step);
    const std::uint32_t outwards = shape_.level(s.level).depth - level(frame).depth;
    return outwards < s.tracked_at.size() ? &blocks_[frames_[frame].blocks + s.tracked_at[outwards]]
                                          : nullptr;
}

}  // namespace amp::engine
