#include "core/run/task_glance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "core/base/json.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/run_data.hpp"
#include "core/run/run_events.hpp"
#include "core/run/run_record.hpp"
#include "core/store/journal_glance.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_journal_bytes = std::uint64_t{32} << 20;
constexpr std::size_t k_parsed = 500;  // records: taking one apart costs more than passing over a hundred
constexpr std::size_t k_tasks = 10'000;
constexpr std::size_t k_tasks_passed = 200'000;  // on the way to those that begin as they should

using Path = std::vector<std::uint32_t>;

/// What every record of these tasks has in its text: within a value of the user the quotes would be escaped.
/// No proof, for an object of the user may look alike.
std::string mark_of(std::string_view step, std::string_view begin) {
    return step.empty() ? std::string() : fmt::format(R"("task":"{}/{})", step, begin);
}

/// "3.0.12" of depth 2: "3.0".
std::string_view outermost(std::string_view index, std::size_t depth) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < depth && end < index.size(); ++i) {
        end = std::min(index.find('.', end + (i == 0 ? 0 : 1)), index.size());
    }
    return index.substr(0, end);
}

/// string_view::find stops at every quote of JSON.
bool has(std::string_view text, std::string_view piece) {
    return memmem(text.data(), text.size(), piece.data(), piece.size()) != nullptr;
}

/// As many records as there is time for: the newest, or the oldest.
class Kept {
  public:
    enum class Of { newest, oldest };
    explicit Kept(Of which) : which_(which) {}

    void keep(const JournalText& text) {
        if (texts_.size() == k_parsed && which_ == Of::oldest) {
            return;
        }
        if (texts_.size() == k_parsed) {
            texts_.pop_front();
        }
        texts_.push_back({std::string(text.type), std::string(text.payload)});
    }
    /// In the order of the journal.
    template <class Each>
    void each(const Graph& graph, const Each& each) const {
        for (const Text& text : texts_) {
            const Record record{0, 0, text.type, json::parse_record(text.payload, "the journal")};
            if (const auto event = run_event_from(record, graph)) {
                each(*event);
            }
        }
    }

  private:
    struct Text {
        std::string type;
        std::string payload;
    };
    Of which_;
    std::deque<Text> texts_;
};

bool is_end(const JournalText& text) {
    return text.type == "end" || text.type == "reused" || text.type == "decision_failed";
}

struct Glance {
    RunRecord record;
    std::unique_ptr<const RecordedFlow> flow;
};

Glance read(const OpenStore& store, const std::string& run) {
    Glance glance{run_record_from(read_run(*store.objects, run)), {}};
    glance.flow = load_recorded_flow(glance.record);
    return glance;
}

/// Counts of items, by foreach and the path around it.
using Items = std::map<std::pair<StepId, Path>, std::uint32_t>;

/// Gives the tasks of a step below a path, until told to stop.
template <class Each>
bool walk(const std::vector<StepId>& stack, const Items& items, Path& path, const Each& each) {
    if (path.size() == stack.size()) {
        return each(path);
    }
    const auto found = items.find({stack[path.size()], path});
    const std::uint32_t count = found == items.end() ? 0 : found->second;
    path.push_back(0);
    for (std::uint32_t i = 0; i < count; ++i) {
        path.back() = i;
        if (!walk(stack, items, path, each)) {
            return false;
        }
    }
    path.pop_back();
    return true;
}

/// What the last attempts came to.
std::map<Path, std::string> states_of(const Kept& ends, const Graph& graph, StepId step) {
    std::map<Path, std::string> states;
    ends.each(graph, [&](const RunEvent& event) {
        if (const auto* ended = std::get_if<TaskEnded>(&event.event); ended && ended->step == step) {
            const TaskState state = ended->cause == Cause::none        ? TaskState::succeeded
                                    : ended->cause == Cause::cancelled ? TaskState::cancelled
                                                                       : TaskState::failed;
            states[ended->index.path] = state_name(state);
        } else if (const auto* reused = std::get_if<TaskReused>(&event.event);
                   reused && reused->step == step) {
            states[reused->index.path] = state_name(TaskState::cached);
        }
    });
    return states;
}

/// The names of artifacts that the chosen tasks made.
class Made {
  public:
    Made(const OpenStore& store, const RecordedFlow& recorded, const std::string& step,
         const std::optional<TaskIndex>& index)
        : store_(store),
          recorded_(recorded),
          step_(step),
          index_(index),
          mark_(mark_of(step, index ? TaskIndex{index->path}.text() : "")) {
        for (StepId id = 0; id < recorded.graph.nodes.size(); ++id) {
            if (is_of_step(id) && !recorded.flow.steps[id].catch_as.empty()) {
                catching_.push_back(mark_of(recorded.graph.nodes[id].name, ""));
            }
        }
    }

    /// Of a step that catches all ends count: its error is an artifact until a later attempt succeeds.
    bool may_tell(const JournalText& text) const {
        const auto in_text = [&](std::string_view piece) { return has(text.payload, piece); };
        return is_end(text) && in_text(mark_) &&
               (in_text(R"("artifacts":{")") || std::any_of(catching_.begin(), catching_.end(), in_text));
    }

    void hear(const RunEvent& event) {
        if (const auto* ended = std::get_if<TaskEnded>(&event.event)) {
            take(ended->step, ended->index, event.result->artifacts,
                 ended->cause != Cause::none && ended->cause != Cause::cancelled);
        } else if (const auto* reused = std::get_if<TaskReused>(&event.event)) {
            take(reused->step, reused->index, event.artifacts, false);
        } else if (const auto* broken = std::get_if<DecisionFailed>(&event.event)) {
            take(broken->question.step, broken->question.index, {}, true);
        }
    }

    /// Each once, sorted.
    /// @param ended nothing will be tried again: what failed last was caught where that is asked for
    std::vector<std::string> names(bool ended) {
        for (const auto& [task, is_failed] : failed_) {
            const std::string& name = recorded_.flow.steps[task.first].catch_as;
            if (is_failed && ended && !name.empty()) {
                names_.insert(name);
            }
        }
        return {names_.begin(), names_.end()};
    }

  private:
    bool is_of_step(StepId id) const { return step_.empty() || recorded_.graph.nodes[id].name == step_; }

    void take(StepId id, const TaskIndex& at, const std::map<std::string, Artifact>& artifacts, bool failed) {
        if (!is_of_step(id) || (index_ && index_->path != at.path)) {
            return;
        }
        failed_[{id, at.path}] = failed;
        for (const auto& named : artifacts) {
            AttemptResult alone;
            alone.artifacts.insert(named);
            if (!names_.contains(named.first) && objects_present(store_, alone)) {
                names_.insert(named.first);
            }
        }
    }

    const OpenStore& store_;
    const RecordedFlow& recorded_;
    const std::string& step_;
    const std::optional<TaskIndex>& index_;
    std::string mark_;
    std::vector<std::string> catching_;
    std::set<std::string> names_;
    std::map<std::pair<StepId, Path>, bool> failed_;
};

}  // namespace

std::vector<TaskGlance> glance_tasks(const OpenStore& store, const std::string& run, const std::string& step,
                                     std::string_view begin) {
    const Glance seen = read(store, run);
    const Graph& graph = seen.flow->graph;
    const StepId id = graph.id(step);
    if (id == graph.nodes.size()) {
        return {};
    }
    const std::vector<StepId>& stack = graph.nodes[id].stack;
    const std::string mark = mark_of(step, begin);
    std::vector<std::string> foreachs;
    foreachs.reserve(stack.size());
    for (const StepId foreach : stack) {
        foreachs.push_back(mark_of(graph.nodes[foreach].name, outermost(begin, foreachs.size())));
    }
    Kept ends(Kept::Of::newest);
    Kept decided(Kept::Of::oldest);  // the outer ones are older
    glance_journal(*store.files, run, k_journal_bytes, [&](const JournalText& text) {
        if (text.type == "items") {
            if (std::any_of(foreachs.begin(), foreachs.end(),
                            [&](const std::string& foreach) { return has(text.payload, foreach); })) {
                decided.keep(text);
            }
        } else if (is_end(text) && has(text.payload, mark)) {
            ends.keep(text);
        }
    });
    Items items;
    decided.each(graph, [&](const RunEvent& event) {
        if (const auto* count = std::get_if<ItemsDecided>(&event.event)) {
            items[{count->step, count->index.path}] = count->count;
        }
    });
    const auto states = states_of(ends, graph, id);
    std::vector<TaskGlance> out;
    std::size_t passed = 0;
    Path path;
    walk(stack, items, path, [&](const Path& at) {
        TaskGlance task{TaskIndex{at}.text()};
        if (task.index.starts_with(begin)) {
            const auto state = states.find(at);
            task.state = state == states.end() ? "" : state->second;
            out.push_back(std::move(task));
        }
        return ++passed < k_tasks_passed && out.size() < k_tasks;
    });
    return out;
}

std::vector<std::string> glance_artifacts(const OpenStore& store, const std::string& run,
                                          const std::string& step, const std::optional<TaskIndex>& index) {
    const Glance seen = read(store, run);
    Made made(store, *seen.flow, step, index);
    Kept ends(Kept::Of::newest);
    bool ended = false;
    glance_journal(*store.files, run, k_journal_bytes, [&](const JournalText& text) {
        if (text.type == "run_ended" || text.type == "reopened") {
            ended = text.type == "run_ended";
        } else if (made.may_tell(text)) {
            ends.keep(text);
        }
    });
    ends.each(seen.flow->graph, [&](const RunEvent& event) { made.hear(event); });
    return made.names(ended);
}

}  // namespace amp
