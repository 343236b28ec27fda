#include "tests/support/naive_plan.hpp"

#include <algorithm>

namespace amp::test {

namespace {

bool is_active(TaskState s) {
    return s == TaskState::queued || s == TaskState::running;
}
bool is_bad(TaskState s) {
    return s == TaskState::failed || s == TaskState::blocked;
}
bool starts_with(const NaivePlan::Path& path, const NaivePlan::Path& prefix) {
    return path.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

}  // namespace

NaivePlan::NaivePlan(const Graph& graph, PlanOptions options) : graph_(graph), options_(options) {
    add_tasks(0, true, {}, 1);
    derive();
}

/// The tasks of one place of a foreach (or of the root), waiting.
void NaivePlan::add_tasks(StepId innermost, bool root, const Path& around, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        Path path = around;
        if (!root) {
            path.push_back(i);
        }
        for (StepId step = 0; step < graph_.nodes.size(); ++step) {
            const auto& n = node(step);
            std::vector<StepId> outer = n.stack;
            if (n.foreach) {
                outer.pop_back();
            }
            const auto here = [&](const std::vector<StepId>& stack) {
                return root ? stack.empty() : !stack.empty() && stack.back() == innermost;
            };
            if (here(n.stack)) {
                tasks_[{step, path}].round = n.repeat ? 1 : 0;
            }
            if (n.foreach && here(outer)) {
                tasks_[{step, path}];
            }
        }
    }
}

bool NaivePlan::after_end(StepId step) const {
    const auto& needs = node(step).needs;
    return node(step).at_end ||
           std::any_of(needs.begin(), needs.end(), [&](const auto& e) { return after_end(e.from); });
}

NaivePlan::Status NaivePlan::status_of(TaskState state) const {
    if (!is_terminal(state)) {
        return Status::open;
    }
    return is_bad(state)                   ? Status::failed
           : state == TaskState::cancelled ? Status::cancelled
           : state == TaskState::skipped   ? Status::skipped
                                           : Status::done;
}

NaivePlan::Status NaivePlan::status(const Graph::Edge& edge, const Path& path) const {
    const auto& stack = node(edge.from).stack;
    if (edge.closes == 0) {
        const Path at(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(stack.size()));
        return status_of(tasks_.at({edge.from, at}).state);
    }
    const StepId outermost = stack[stack.size() - edge.closes];
    if (!items_.contains({outermost, path})) {
        return status_of(tasks_.at({outermost, path}).state);
    }
    Status all = Status::done;
    for (const auto& [key, task] : tasks_) {
        const bool part =
            key.first == edge.from || (is_head(key) && std::count(stack.begin(), stack.end(), key.first) > 0);
        if (!part || key.second.size() <= path.size() || !starts_with(key.second, path)) {
            continue;
        }
        const Status s = status_of(task.state);
        if (s == Status::open) {
            return s;
        }
        all = s == Status::failed || all == Status::failed         ? Status::failed
              : s == Status::cancelled || all == Status::cancelled ? Status::cancelled
                                                                   : Status::done;
    }
    return all;
}

bool NaivePlan::needs_ended(const Key& key) const {
    const auto& n = node(key.first);
    if (n.foreach && !is_head(key)) {
        return !is_gated({key.first, Path(key.second.begin(), key.second.end() - 1)});
    }
    if (n.at_end) {
        return std::all_of(tasks_.begin(), tasks_.end(), [&](const auto& t) {
            return after_end(t.first.first) || is_terminal(t.second.state);
        });
    }
    return std::all_of(n.needs.begin(), n.needs.end(),
                       [&](const auto& e) { return status(e, key.second) != Status::open; });
}

bool NaivePlan::is_gated(const Key& head) const {
    const auto it = gates_.find(head);
    return it != gates_.end() && it->second.state == TaskState::waiting;
}

void NaivePlan::derive() {
    for (auto* map : {&gates_, &tasks_}) {
        for (auto& [key, task] : *map) {
            if (task.question && !task.round_done && !needs_ended(key)) {
                task.question.reset();
            }
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& [key, task] : tasks_) {
            if (task.state == TaskState::waiting && !task.question && (task.round_done || needs_ended(key))) {
                changed = consider(key, task) || changed;
            }
        }
        for (auto& [key, task] : gates_) {
            if (task.state == TaskState::waiting && !task.question && needs_ended(key)) {
                changed = consider_gate(key, task) || changed;
            }
        }
    }
}

/// What the needs alone decide. `decided`: they do.
bool NaivePlan::consider_needs(const Key& key, Task& task, bool& decided) {
    const auto& n = node(key.first);
    bool failed = false;
    bool cancelled = false;
    bool all_skipped = true;
    bool conditional = false;
    for (const auto& edge : n.needs) {
        const Status s = status(edge, key.second);
        failed = failed || s == Status::failed;
        cancelled = cancelled || s == Status::cancelled;
        all_skipped = all_skipped && s == Status::skipped;
        conditional = conditional || (edge.conditional && s != Status::skipped);
    }
    decided = true;
    if (!n.cleanup && failed) {
        conclude(key, TaskState::blocked);
    } else if (!n.cleanup && cancelled) {
        conclude(key, TaskState::cancelled);
    } else if (conditional && !failed && !cancelled && !task.edges_shut) {
        task.question = Question::Kind::edges;
    } else if (all_skipped || task.edges_shut.value_or(false)) {
        conclude(key, TaskState::skipped);
    } else {
        decided = false;
    }
    return decided;
}

bool NaivePlan::consider(const Key& key, Task& task) {
    const auto& n = node(key.first);
    const bool head = is_head(key);
    bool decided = false;
    if (task.round_done) {
        task.question = Question::Kind::until;
    } else if ((!n.foreach || head) && !n.needs.empty()) {
        consider_needs(key, task, decided);
    }
    if (!decided && !task.question) {
        const bool when_here = n.when && (!n.foreach || head != n.when_per_item);
        if (when_here && !task.when) {
            task.question = Question::Kind::when;
        } else if (when_here && !*task.when) {
            conclude(key, TaskState::skipped);
        } else if (head) {
            task.question = Question::Kind::items;
        } else if (held_back(key.first)) {
            conclude(key, TaskState::cancelled);
        } else {
            make_ready(task);
        }
    }
    if (task.question && held_back(key.first)) {
        conclude(key, TaskState::cancelled);
    }
    return task.state != TaskState::waiting;
}

/// A foreach of clean-up that was expanded before the run was reopened: its items wait for it.
bool NaivePlan::consider_gate(const Key& head, Task& task) {
    const auto& n = node(head.first);
    bool decided = false;
    if (!n.needs.empty()) {
        consider_needs(head, task, decided);
    }
    if (!decided && n.when && !n.when_per_item) {
        if (!task.when) {
            task.question = Question::Kind::when;
        } else if (!*task.when) {
            conclude(head, TaskState::skipped);
        }
    }
    if (task.question && held_back(head.first)) {
        conclude(head, TaskState::cancelled);
    }
    if (!task.question) {
        task.state = TaskState::succeeded;
    }
    return task.state != TaskState::waiting;
}

void NaivePlan::conclude(const Key& key, TaskState state) {
    if (const auto gate = gates_.find(key); gate != gates_.end()) {
        gate->second.state = TaskState::succeeded;
        gate->second.question.reset();
        for (auto& [other, task] : tasks_) {
            if (other.first == key.first && other.second.size() == key.second.size() + 1 &&
                starts_with(other.second, key.second) && task.state == TaskState::waiting) {
                task.state = state;
                task.question.reset();
                task.shut = state == TaskState::blocked || state == TaskState::cancelled;
            }
        }
        return;
    }
    Task& task = tasks_.at(key);
    task.state = state;
    task.question.reset();
    task.shut = state == TaskState::blocked || state == TaskState::cancelled;
}

void NaivePlan::make_ready(Task& task) {
    task.state = TaskState::ready;
    task.ready_since = clock_;
}

void NaivePlan::stop(Stop reason) {
    if (!stopping()) {
        stop_ = reason;
        sweep();
    }
}

void NaivePlan::sweep() {
    derive();
    for (auto& [key, task] : tasks_) {
        if (!held_back(key.first)) {
            continue;
        }
        if (task.question) {
            conclude(key, TaskState::cancelled);
        } else if (task.state == TaskState::ready || task.state == TaskState::retrying) {
            task.state = TaskState::cancelled;
            task.unstarted = true;
        }
    }
    for (auto& [key, task] : gates_) {
        if (held_back(key.first) && task.question) {
            conclude(key, TaskState::cancelled);
        }
    }
}

std::set<NaivePlan::Key> NaivePlan::take_cancels() {
    std::set<Key> given;
    for (auto& [key, task] : tasks_) {
        if (held_back(key.first) && is_active(task.state) && !task.cancel_given) {
            task.cancel_given = true;
            given.insert(key);
        }
    }
    return given;
}

std::vector<Question> NaivePlan::questions() const {
    std::vector<Question> questions;
    for (const auto* map : {&tasks_, &gates_}) {
        for (const auto& [key, task] : *map) {
            if (task.question) {
                const std::uint32_t round = *task.question == Question::Kind::until ? task.round : 0;
                questions.push_back({*task.question, key.first, {key.second, round}});
            }
        }
    }
    return questions;
}

std::optional<Timestamp> NaivePlan::next_due() const {
    std::optional<Timestamp> next;
    for (const auto& [key, task] : tasks_) {
        if (task.state == TaskState::retrying && (!next || task.due < *next)) {
            next = task.due;
        }
    }
    return next;
}

RunState NaivePlan::state() const {
    const auto any = [&](auto is) {
        return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& t) { return is(t.second.state); });
    };
    if (any([](TaskState s) { return !is_terminal(s); })) {
        return begun_ ? RunState::running : RunState::pending;
    }
    if (stop_ == Stop::cancelled) {
        return RunState::cancelled;
    }
    if (stop_ != Stop::none || any(is_bad)) {
        return RunState::failed;
    }
    return any([](TaskState s) { return s == TaskState::cancelled; }) ? RunState::cancelled
                                                                      : RunState::succeeded;
}

bool NaivePlan::cleaning_up() const {
    const bool ended = state() != RunState::pending && state() != RunState::running;
    return stopping() && !ended && std::none_of(tasks_.begin(), tasks_.end(), [&](const auto& t) {
               return is_active(t.second.state) && !node(t.first.first).cleanup;
           });
}

std::vector<Plan::Counts> NaivePlan::counts() const {
    std::vector<Plan::Counts> counts(graph_.nodes.size(), Plan::Counts{});
    for (const auto& [key, task] : tasks_) {
        ++counts[key.first][static_cast<std::size_t>(task.state)];
        if (!is_head(key) || task.state == TaskState::caught) {
            continue;
        }
        for (StepId step = 0; step < graph_.nodes.size(); ++step) {  // what is below counts as one task too
            const auto& stack = node(step).stack;
            if (step != key.first && std::count(stack.begin(), stack.end(), key.first) > 0) {
                const TaskState s = task.state == TaskState::failed ? TaskState::blocked : task.state;
                ++counts[step][static_cast<std::size_t>(s)];
            }
        }
    }
    return counts;
}

std::optional<std::uint32_t> NaivePlan::item_count(const Key& head) const {
    if (const auto it = items_.find(head); it != items_.end()) {
        return it->second;
    }
    const auto it = tasks_.find(head);
    return it != tasks_.end() && it->second.state == TaskState::caught ? std::optional<std::uint32_t>(0)
                                                                       : std::nullopt;
}

bool NaivePlan::has_room(StepId step) const {
    const auto active = std::count_if(tasks_.begin(), tasks_.end(), [&](const auto& t) {
        return t.first.first == step && is_active(t.second.state);
    });
    return node(step).limit == 0 || static_cast<std::uint32_t>(active) < node(step).limit;
}

/// Does a task (or a foreach on its stack that is not expanded) of step `of` lie in the branch of `asker` at
/// `path`?
bool NaivePlan::in_branch(const Key& key, StepId of, StepId asker, const Path& path) const {
    const auto& stack = node(of).stack;
    const bool part =
        key.first == of || (is_head(key) && std::count(stack.begin(), stack.end(), key.first) > 0);
    for (std::size_t i = 0; part && i < std::min(key.second.size(), path.size()); ++i) {
        if (stack[i] != node(asker).stack[i]) {
            break;
        }
        if (key.second[i] != path[i]) {
            return false;
        }
    }
    return part;
}

bool NaivePlan::has_failed(StepId step, const Path& path, std::optional<StepId> of) const {
    if (!of && node(step).needs.empty()) {
        return stop_ == Stop::timed_out || std::any_of(tasks_.begin(), tasks_.end(),
                                                       [](const auto& t) { return is_bad(t.second.state); });
    }
    std::set<StepId> asked_for;
    std::vector<StepId> open = {step};
    while (!of && !open.empty()) {
        const StepId s = open.back();
        open.pop_back();
        for (const auto& edge : node(s).needs) {
            asked_for.insert(edge.from);
            open.push_back(edge.from);
        }
    }
    if (of) {
        asked_for.insert(*of);
    }
    return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& t) {
        return is_bad(t.second.state) && std::any_of(asked_for.begin(), asked_for.end(), [&](StepId s) {
                   return in_branch(t.first, s, step, path);
               });
    });
}

}  // namespace amp::test
