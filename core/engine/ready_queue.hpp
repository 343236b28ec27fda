#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/engine/plan.hpp"

namespace amp::engine {

/// Ready tasks by priority, then by the order in which they became ready. A queue a step, so that a step at
/// its limit costs nothing: it is put aside until wake(). Entries may be stale (the task is not ready any
/// more); they are dropped when their turn comes.
class ReadyQueue {
  public:
    explicit ReadyQueue(const Graph& graph) : graph_(graph), queues_(graph.nodes.size()) {}

    void push(StepId step, TaskId task) {
        queues_[step].entries.push_back({task, next_number_++});
        wake(step);
    }
    void clear() {
        order_.clear();
        for (Queue& queue : queues_) {
            queue = {};
        }
    }
    /// The step has room again.
    void wake(StepId step) {
        Queue& queue = queues_[step];
        if (!queue.listed && !queue.entries.empty()) {
            queue.listed = true;
            order_.insert({-std::int64_t{graph_.nodes[step].priority}, queue.entries.front().number, step});
        }
    }
    /// The next task of which is_ready(task), of a step of which has_room(step).
    template <class IsReady, class HasRoom>
    std::optional<TaskId> pop(IsReady is_ready, HasRoom has_room) {
        while (!order_.empty()) {
            const auto [priority, number, step] = *order_.begin();
            order_.erase(order_.begin());
            Queue& queue = queues_[step];
            queue.listed = false;
            while (!queue.entries.empty() && !is_ready(queue.entries.front().task)) {
                queue.entries.pop_front();
            }
            if (queue.entries.empty() || !has_room(step)) {
                continue;
            }
            if (queue.entries.front().number != number) {  // stale ones went: another step may come first
                wake(step);
                continue;
            }
            const TaskId task = queue.entries.front().task;
            queue.entries.pop_front();
            wake(step);
            return task;
        }
        return std::nullopt;
    }

  private:
    struct Entry {
        TaskId task = 0;
        std::uint64_t number = 0;
    };
    struct Queue {
        std::deque<Entry> entries;
        bool listed = false;
    };

    const Graph& graph_;
    std::vector<Queue> queues_;
    std::set<std::tuple<std::int64_t, std::uint64_t, StepId>> order_;
    std::uint64_t next_number_ = 0;
};

}  // namespace amp::engine
