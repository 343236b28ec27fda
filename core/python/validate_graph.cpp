#include "core/python/validate_graph.hpp"

#include <algorithm>
#include <limits>
#include <set>

// Splits and joins. Each step stands in a frame: one branch of the innermost split that is open there, with
// the frame around it. A split opens a frame for each branch, a join closes those of all branches of one
// split. Frames are made once a branch, so that two steps are in the same one when its number is the same.

namespace amp::python {
namespace {

using Kind = Transition::Kind;

constexpr std::size_t k_outside = std::numeric_limits<std::size_t>::max();  ///< no split is open
constexpr std::size_t k_unsure = k_outside - 1;                             ///< after a mistake that was told

bool opens(Kind kind) {
    return kind == Kind::split || kind == Kind::foreach || kind == Kind::num_parallel;
}

struct Frame {
    std::size_t split;   ///< the step
    std::size_t branch;  ///< the step that it begins with
    std::size_t around;  ///< the frame
};

class Check {
  public:
    Check(const PythonFlow& flow, const StepGraph& graph, Diagnostics& diagnostics)
        : flow_(flow), graph_(graph), diagnostics_(diagnostics), came_(flow.steps.size()) {}

    void run() {
        reach();
        if (sort()) {  // else what a circle keeps from the end seems to be without a way there
            orphans();
            for (const std::size_t id : order_) {
                enter(id);
            }
        }
    }

  private:
    struct Came {
        std::size_t from;
        std::size_t frame;
    };

    const PythonStep& step(std::size_t id) const { return flow_.steps[id]; }
    std::string name(std::size_t id) const { return "'" + step(id).name + "'"; }

    void reach() {
        reached_.assign(flow_.steps.size(), false);
        std::vector<std::size_t> open = {graph_.first};
        reached_[graph_.first] = true;
        while (!open.empty()) {
            const std::size_t id = open.back();
            open.pop_back();
            for (const std::size_t to : graph_.next[id]) {
                if (!reached_[to]) {
                    reached_[to] = true;
                    open.push_back(to);
                }
            }
        }
    }

    void orphans() {
        for (std::size_t id = 0; id < flow_.steps.size(); ++id) {
            if (!reached_[id]) {
                diagnostics_.error("AMP3013", step(id).place, "no step leads to " + name(id),
                                   "name it in the self.next of a step before it, or remove it");
            }
        }
    }

    /// A switch that goes to itself is a loop.
    bool counts(std::size_t from, std::size_t to) const {
        return reached_[from] && (from != to || step(from).transition().kind != Kind::switch_);
    }

    /// The reached steps, each after all that lead to it; false: there is a circle.
    bool sort() {
        std::vector<std::size_t> waits(flow_.steps.size(), 0);
        std::size_t count = 0;
        for (std::size_t id = 0; id < flow_.steps.size(); ++id) {
            count += reached_[id] ? 1 : 0;
            for (const std::size_t to : graph_.next[id]) {
                waits[to] += counts(id, to) ? 1 : 0;
            }
        }
        if (waits[graph_.first] == 0) {
            order_.push_back(graph_.first);
        }
        for (std::size_t i = 0; i < order_.size(); ++i) {
            for (const std::size_t to : graph_.next[order_[i]]) {
                if (counts(order_[i], to) && --waits[to] == 0) {
                    order_.push_back(to);
                }
            }
        }
        if (order_.size() == count) {
            return true;
        }
        circle(waits);
        return false;
    }

    /// Backwards from a step that never came, always to one that never came either, until one is met again.
    void circle(const std::vector<std::size_t>& waits) {
        const auto stuck = [&](std::size_t id) { return reached_[id] && waits[id] > 0; };
        std::size_t at = 0;
        while (!stuck(at)) {
            ++at;
        }
        std::vector<bool> seen(flow_.steps.size(), false);
        std::vector<std::size_t> way;
        while (!seen[at]) {
            seen[at] = true;
            way.push_back(at);
            const auto& before = graph_.before[at];
            at = *std::find_if(before.begin(), before.end(),
                               [&](std::size_t from) { return stuck(from) && counts(from, at); });
        }
        way.erase(way.begin(), std::find(way.begin(), way.end(), at));
        way.push_back(at);
        std::reverse(way.begin(), way.end());
        std::string text;
        for (std::size_t i = 0; i < way.size(); ++i) {
            if (way.size() > 12 && i == 6) {
                text += " → …";
                i = way.size() - 6;
            }
            text += (text.empty() ? "" : " → ") + step(way[i]).name;
        }
        diagnostics_.error("AMP3012", step(way.front()).transition().place,
                           "the steps go in a circle: " + text,
                           "to do a step again, let it choose between itself and the next one: "
                           "self.next({…}, condition=…)");
    }

    void wrong(Place place, std::string message, std::string hint) {
        diagnostics_.error("AMP3014", place, std::move(message), std::move(hint));
    }

    std::size_t split_of(std::size_t frame) const { return frames_[frame].split; }

    /// In which frame a step stands, and in which those that it leads to.
    void enter(std::size_t id) {
        const std::size_t frame = frame_of(id);
        if (id == graph_.last && frame < k_unsure) {
            wrong(step(split_of(frame)).transition().place,
                  "what " + name(split_of(frame)) + " splits is not joined before the end",
                  "let the branches come together in a step that takes inputs: def join(self, inputs)");
        }
        const Kind kind = step(id).transition().kind;
        for (const std::size_t to : graph_.next[id]) {
            if (!counts(id, to)) {
                continue;
            }
            std::size_t below = frame;
            if (opens(kind)) {
                below = frames_.size();
                frames_.push_back({id, to, frame});
            }
            came_[to].push_back({id, below});
        }
    }

    std::size_t frame_of(std::size_t id) {
        const auto& came = came_[id];
        if (came.empty()) {
            return k_outside;
        }
        if (std::any_of(came.begin(), came.end(), [](const Came& one) { return one.frame == k_unsure; })) {
            return k_unsure;
        }
        return step(id).is_join() ? joined(id) : passed(id);
    }

    /// Of a step that takes no inputs: all that lead to it are alternatives.
    std::size_t passed(std::size_t id) {
        const auto& came = came_[id];
        const auto other = std::find_if(came.begin(), came.end(),
                                        [&](const Came& one) { return one.frame != came.front().frame; });
        if (other == came.end()) {
            return came.front().frame;
        }
        wrong(step(id).place,
              "several branches come together in " + name(id) + ", from " + name(came.front().from) +
                  " and " + name(other->from) + ", but it takes no inputs",
              "make it a join: def " + step(id).name + "(" + step(id).self_name + ", inputs)");
        return k_unsure;
    }

    std::size_t joined(std::size_t id) {
        const auto& came = came_[id];
        const std::size_t inner = came.front().frame;
        for (const Came& one : came) {
            if (one.frame == k_outside) {
                wrong(
                    step(id).place,
                    name(id) + " takes inputs, but " + name(one.from) + ", which leads to it, is in no split",
                    came.size() == 1 ? "a step that joins nothing takes self alone" : "");
                return k_unsure;
            }
            if (straight(one, id)) {
                return k_unsure;
            }
            if (split_of(one.frame) != split_of(inner)) {
                wrong(step(id).place,
                      name(id) + " joins branches of different splits: " + name(came.front().from) +
                          " comes of the one in " + name(split_of(inner)) + ", " + name(one.from) +
                          " of that in " + name(split_of(one.frame)),
                      "join the inner split first, in a step of its own");
                return k_unsure;
            }
        }
        return all_branches(id, split_of(inner)) ? frames_[inner].around : k_unsure;
    }

    /// A split, or a switch, that goes right to the join.
    bool straight(const Came& one, std::size_t join) {
        const Kind kind = step(one.from).transition().kind;
        if (opens(kind)) {
            wrong(step(one.from).transition().place,
                  name(one.from) + " splits, and goes right to " + name(join) + ", which joins",
                  "put a step between them: each branch needs one");
            return true;
        }
        if (kind == Kind::switch_) {
            wrong(step(one.from).transition().place,
                  "a case of " + name(one.from) + " goes right to " + name(join) + ", which joins",
                  "put a step between them");
            return true;
        }
        return false;
    }

    bool all_branches(std::size_t join, std::size_t split) {
        std::set<std::size_t> there;
        for (const Came& one : came_[join]) {
            there.insert(frames_[one.frame].branch);
        }
        for (const std::size_t branch : graph_.next[split]) {
            if (!there.contains(branch)) {
                wrong(step(join).place,
                      name(join) + " does not join all branches of " + name(split) + ": that of " +
                          name(branch) + " does not come to it",
                      "let every branch of a split end in the same join");
                return false;
            }
        }
        return true;
    }

    const PythonFlow& flow_;
    const StepGraph& graph_;
    Diagnostics& diagnostics_;
    std::vector<bool> reached_;
    std::vector<std::size_t> order_;
    std::vector<Frame> frames_;
    std::vector<std::vector<Came>> came_;  ///< of each step, from where
};

}  // namespace

void validate_graph(const PythonFlow& flow, const StepGraph& graph, Diagnostics& diagnostics) {
    Check(flow, graph, diagnostics).run();
}

}  // namespace amp::python
