#include "tests/support/plan_duel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace amp::test {

namespace {

bool ended(RunState state) {
    return state != RunState::pending && state != RunState::running;
}

std::uint32_t next_attempt(const NaivePlan::Task& task) {
    return task.state == TaskState::ready || task.state == TaskState::retrying ? task.attempt + 1
                                                                               : task.attempt;
}

/// What a replay cannot tell apart.
TaskState normal(TaskState state) {
    return state == TaskState::queued || state == TaskState::retrying ? TaskState::ready : state;
}

bool contains(const std::vector<Question>& list, const Question& question) {
    return std::find(list.begin(), list.end(), question) != list.end();
}

std::string name(const Question& q) {
    return fmt::format("question {} of step {} at {}", static_cast<int>(q.kind), q.step, q.index.text());
}

}  // namespace

PlanDuel::PlanDuel(Graph graph, PlanOptions options, std::uint64_t seed)
    : graph_(std::move(graph)),
      options_(options),
      random_(seed),
      plan_(graph_, options),
      replay_(graph_, options),
      naive_(graph_, options) {}

std::string PlanDuel::fight(std::size_t steps) {
    check();
    for (std::size_t i = 0; i < steps && difference_.empty(); ++i) {
        if (ended(naive_.state())) {
            if (reopened_ == 2 || !one_in(2)) {
                break;
            }
            ++reopened_;
            revived_ = true;  // questions may be withdrawn and asked again
            apply(RunReopened{one_in(3)}, "reopened");
        } else {
            step();
        }
        if (last_ != "advance" && last_ != "take_questions" &&
            (history_.empty() || history_.back() != last_)) {
            history_.push_back(last_);
        }
        check();
    }
    if (difference_.empty()) {
        check_questions_of_replay();
    }
    return difference_;
}

void PlanDuel::step() {
    const std::size_t dice = below(100);
    if (dice < 20) {
        return take_ready();
    }
    if (dice < 28) {
        return take_questions();
    }
    if (dice < 33) {
        now_ = now_.plus_seconds(static_cast<double>(below(30)));
        plan_.advance(now_);
        naive_.advance(now_);
        last_ = "advance";
        return;
    }
    if (dice < 40) {
        return disturb();
    }
    const auto questions = naive_.questions();
    if (!questions.empty() && one_in(2)) {
        return answer(questions[below(questions.size())]);
    }
    std::vector<NaivePlan::Key> active;
    for (const auto& [key, task] : naive_.tasks()) {
        if (task.state == TaskState::queued || task.state == TaskState::running) {
            active.push_back(key);
        }
    }
    if (!active.empty()) {
        const auto key = active[below(active.size())];
        end_task(key, naive_.tasks().at(key));
    }
}

void PlanDuel::apply(const PlanEvent& event, const std::string& what) {
    last_ = what;
    const bool fits = plan_.apply(event, now_);
    if (fits != naive_.apply(event, now_)) {
        return differ(fmt::format("the plan says {}", fits ? "fits" : "does not fit"));
    }
    if (fits) {
        journal_.emplace_back(event, now_);
        if (!std::holds_alternative<TaskStarted>(event)) {  // drivers do not write it down
            replay_.apply(event, now_);
        }
    }
}

void PlanDuel::answer(const Question& q) {
    if (one_in(15)) {
        return apply(DecisionFailed{q}, "failed " + name(q));
    }
    switch (q.kind) {
        case Question::Kind::edges: {
            std::vector<bool> open;
            for (const auto& edge : graph_.nodes[q.step].needs) {
                open.push_back(!edge.conditional || one_in(2));
            }
            return apply(EdgesDecided{q.step, q.index, open}, name(q));
        }
        case Question::Kind::when:
            return apply(WhenDecided{q.step, q.index, !one_in(3)}, name(q));
        case Question::Kind::items:
            return apply(ItemsDecided{q.step, q.index, static_cast<std::uint32_t>(below(4))}, name(q));
        case Question::Kind::until:
            return apply(UntilDecided{q.step, q.index, one_in(2)}, name(q));
        case Question::Kind::wait:
            return apply(WaitEnded{q.step, q.index}, name(q));
    }
}

Cause PlanDuel::random_cause() {
    static constexpr std::array k_causes = {Cause::user, Cause::user,    Cause::user,  Cause::timeout,
                                            Cause::oom,  Cause::evicted, Cause::image, Cause::lost,
                                            Cause::node, Cause::quota,   Cause::infra};
    return k_causes[below(k_causes.size())];
}

void PlanDuel::end_task(const NaivePlan::Key& key, const NaivePlan::Task& task) {
    const TaskIndex index{key.second, task.round};
    const auto what =
        fmt::format("{}/{} attempt {}: ", graph_.nodes[key.first].name, index.text(), task.attempt);
    if (task.state == TaskState::queued && one_in(3)) {
        return apply(TaskStarted{key.first, index, task.attempt}, what + "started");
    }
    if (task.state == TaskState::queued && one_in(8)) {
        return one_in(2) ? apply(TaskReturned{key.first, index}, what + "returned")
                         : apply(TaskReused{key.first, index}, what + "reused");
    }
    Cause cause = one_in(4) ? random_cause() : Cause::none;
    if (naive_.stopping() && one_in(2)) {
        cause = Cause::cancelled;
    }
    apply(TaskEnded{key.first, index, task.attempt, cause, one_in(10)},
          what + "ended " + std::string(cause_name(cause)));
}

/// Events out of turn: adoption of what a replay did not know of, duplicates, nonsense, cancel and time-outs.
void PlanDuel::disturb() {
    const std::size_t dice = below(12);
    if (dice == 0) {
        return apply(RunCancelled{}, "run cancelled");
    }
    if (dice == 1) {
        return apply(RunTimedOut{}, "run timed out");
    }
    // A driver has handed out nothing when it reopens a run. (Clean-up of an interrupted run may still be
    // under way; the replay comes to the same in the end, but by other ways.)
    const auto is_queued = [this](const auto& t) {
        return t.second.state == TaskState::queued ||
               (t.second.state == TaskState::running && graph_.nodes[t.first.first].cleanup);
    };
    if (dice == 2 && reopened_ < 2 && std::none_of(naive_.tasks().begin(), naive_.tasks().end(), is_queued)) {
        ++reopened_;
        revived_ = true;
        return apply(RunReopened{one_in(3)}, "reopened meanwhile");
    }
    auto it = naive_.tasks().begin();
    std::advance(it, static_cast<std::ptrdiff_t>(below(naive_.tasks().size())));
    const auto& [key, task] = *it;
    TaskIndex index{key.second, one_in(10) ? 1 + task.round : task.round};
    const bool to_come = task.state != TaskState::queued && task.state != TaskState::running;
    const std::uint32_t attempt = task.attempt + (to_come ? 1 : 0) + (one_in(6) ? 1 : 0);
    adopted_ = adopted_ || to_come;
    strayed_ = strayed_ || (task.state == TaskState::waiting && task.survivor);
    revived_ = true;
    const auto what =
        fmt::format("out of turn, {}/{} attempt {}: ", graph_.nodes[key.first].name, index.text(), attempt);
    if (dice < 7) {
        apply(TaskStarted{key.first, index, attempt}, what + "started");
    } else if (dice < 11) {
        const Cause cause = one_in(2) ? Cause::none : one_in(2) ? random_cause() : Cause::cancelled;
        apply(TaskEnded{key.first, index, attempt, cause, false},
              what + "ended " + std::string(cause_name(cause)));
    } else {
        apply(TaskReused{key.first, index}, what + "reused");
    }
}

void PlanDuel::take_ready() {
    last_ = "take_ready";
    const std::size_t max = 1 + below(4);
    const auto rank = [&](const NaivePlan::Key& key) {
        return std::pair(-graph_.nodes[key.first].priority, naive_.tasks().at(key).ready_since);
    };
    std::optional<std::pair<std::int32_t, std::uint64_t>> last;
    const auto tasks = plan_.take_ready(max);
    for (const TaskId id : tasks) {
        const NaivePlan::Key key{plan_.step(id), plan_.index(id).path};
        if (naive_.tasks().at(key).state != TaskState::ready || !naive_.has_room(key.first)) {
            return differ("gave a task that is not ready, or beyond its limit");
        }
        if (!adopted_ && last && rank(key) < *last) {
            return differ("gave tasks out of order");
        }
        last = rank(key);
        naive_.took(key);
    }
    for (const auto& [key, task] : naive_.tasks()) {
        if (task.state != TaskState::ready || !naive_.has_room(key.first)) {
            continue;
        }
        if (tasks.size() < max || (!adopted_ && rank(key) < *last)) {
            return differ("left a ready task");
        }
    }
}

void PlanDuel::take_questions() {
    last_ = "take_questions";
    const std::size_t max = 1 + below(4);
    const auto expected = naive_.questions();
    const auto given = plan_.take_questions(max);
    for (const Question& q : given) {
        if (!contains(expected, q)) {
            return differ("asked what is no question: " + name(q));
        }
        if (!revived_ && contains(taken_, q)) {
            return differ("asked twice: " + name(q));
        }
        taken_.push_back(q);
    }
    if (given.size() < max &&
        !std::all_of(expected.begin(), expected.end(), [&](const auto& q) { return contains(taken_, q); })) {
        differ("did not ask all");
    }
}

void PlanDuel::check() {
    if (!difference_.empty()) {
        return;
    }
    check_tasks();
    check_counts();
    if (plan_.state() != naive_.state()) {
        differ(fmt::format("the run is {}, not {}", state_name(plan_.state()), state_name(naive_.state())));
    }
    if (plan_.stopping() != naive_.stopping() || plan_.cleaning_up() != naive_.cleaning_up()) {
        differ("stopping or cleaning up");
    }
    const auto cancels = plan_.take_cancels();
    std::set<NaivePlan::Key> keys;
    for (const TaskId id : cancels) {
        keys.insert({plan_.step(id), plan_.index(id).path});
    }
    if (keys.size() != cancels.size() || keys != naive_.take_cancels()) {
        differ("cancels");
    }
    if (plan_.next_due() != naive_.next_due()) {
        differ("the next back-off");
    }
    const auto questions = naive_.questions();
    std::erase_if(taken_, [&](const Question& q) { return !contains(questions, q); });
    for (const Question& q : questions) {
        const auto of =
            one_in(2) ? std::optional(static_cast<StepId>(below(graph_.nodes.size()))) : std::nullopt;
        if (graph_.nodes[q.step].cleanup &&
            plan_.has_failed(q.step, q.index, of) != naive_.has_failed(q.step, q.index.path, of)) {
            differ("failed() in the " + name(q));
        }
    }
    check_replay();
}

void PlanDuel::check_tasks() {
    std::size_t count = 0;
    for (TaskId id = 0; id < plan_.task_count(); ++id) {
        count += plan_.is_task(id) ? 1 : 0;
    }
    if (count != naive_.tasks().size()) {
        return differ(fmt::format("{} tasks, not {}", count, naive_.tasks().size()));
    }
    for (const auto& [key, task] : naive_.tasks()) {
        const TaskIndex index{key.second, task.round};
        const auto where = fmt::format("{}/{}", graph_.nodes[key.first].name, index.text());
        const auto id = plan_.find(key.first, index);
        if (!id || plan_.step(*id) != key.first || plan_.index(*id) != index) {
            return differ(where + " is not there");
        }
        if (plan_.state(*id) != task.state) {
            return differ(
                fmt::format("{} is {}, not {}", where, state_name(plan_.state(*id)), state_name(task.state)));
        }
        if (plan_.attempt(*id) != next_attempt(task) || plan_.oom_count(*id) != task.ooms ||
            plan_.cause(*id) != task.cause) {
            return differ(where + ": attempt, ooms or cause");
        }
    }
}

void PlanDuel::check_counts() {
    const auto counts = naive_.counts();
    Plan::Counts totals{};
    for (StepId step = 0; step < graph_.nodes.size(); ++step) {
        if (plan_.counts(step) != counts[step]) {
            return differ("counts of step " + graph_.nodes[step].name);
        }
        for (std::size_t i = 0; i < totals.size(); ++i) {
            totals[i] += counts[step][i];
        }
    }
    if (plan_.totals() != totals) {
        differ("totals");
    }
    for (const auto& [key, task] : naive_.tasks()) {
        if (!graph_.nodes[key.first].foreach) {
            continue;
        }
        auto around = key.second;
        if (around.size() == graph_.nodes[key.first].stack.size()) {
            around.pop_back();
        }
        if (plan_.item_count(key.first, {around, 0}) != naive_.item_count({key.first, around})) {
            return differ("the number of items of " + graph_.nodes[key.first].name);
        }
    }
}

/// A plan that saw only the events is the same, but for what they do not tell: what is queued and which
/// back-offs are over.
void PlanDuel::check_replay() {
    // What survived a reopening, and by that waits again, is decided upon before the replay learns of its
    // attempt.
    if (strayed_) {
        return;
    }
    const auto is_active = [](const auto& t) {
        return t.second.state == TaskState::queued || t.second.state == TaskState::running;
    };
    if (std::any_of(naive_.tasks().begin(), naive_.tasks().end(), is_active)) {
        return;  // of these it learns later
    }
    if (replay_.task_count() != plan_.task_count() || replay_.state() != plan_.state() ||
        replay_.stopping() != plan_.stopping()) {
        return differ("the replay's run");
    }
    for (TaskId id = 0; id < plan_.task_count(); ++id) {
        if (normal(replay_.state(id)) != normal(plan_.state(id)) ||
            replay_.attempt(id) != plan_.attempt(id) || replay_.index(id) != plan_.index(id)) {
            return differ(fmt::format("the replay's {}/{}: {}, not {}", graph_.nodes[plan_.step(id)].name,
                                      plan_.index(id).text(), state_name(replay_.state(id)),
                                      state_name(plan_.state(id))));
        }
    }
}

/// A new plan asks what is open, and nothing that was answered; from any point of the journal on.
void PlanDuel::check_questions_of_replay() {
    Plan fresh(graph_, options_);
    NaivePlan naive(graph_, options_);
    const std::size_t prefix = below(journal_.size() + 1);
    for (std::size_t i = 0; i < prefix; ++i) {
        fresh.apply(journal_[i].first, journal_[i].second);
        naive.apply(journal_[i].first, journal_[i].second);
    }
    auto questions = naive.questions();
    const auto given = fresh.take_questions(1000);
    if (given.size() != questions.size() ||
        !std::all_of(given.begin(), given.end(), [&](const Question& q) { return contains(questions, q); })) {
        differ(fmt::format("the questions after a replay of {} events", prefix));
    }
}

void PlanDuel::differ(const std::string& what) {
    if (difference_.empty()) {
        history_.push_back(last_);
        difference_ = fmt::format("{}, after:\n  {}", what, fmt::join(history_, "\n  "));
    }
}

}  // namespace amp::test
