// The events of NaivePlan.

#include <algorithm>

#include "core/engine/retry.hpp"
#include "tests/support/naive_plan.hpp"

namespace amp::test {

namespace {

bool is_active(TaskState s) {
    return s == TaskState::queued || s == TaskState::running;
}
bool is_bad(TaskState s) {
    return s == TaskState::failed || s == TaskState::blocked;
}

}  // namespace

bool NaivePlan::apply(const PlanEvent& event, Timestamp at) {
    ++clock_;
    if (!std::visit([&](const auto& e) { return on(e, at); }, event)) {
        return false;
    }
    begun_ = true;
    derive();
    return true;
}

void NaivePlan::advance(Timestamp now) {
    ++clock_;
    for (auto& [key, task] : tasks_) {
        if (task.state == TaskState::retrying && task.due <= now) {
            make_ready(task);
        }
    }
}

void NaivePlan::took(const Key& key) {
    Task& task = tasks_.at(key);
    ++task.attempt;
    task.state = TaskState::queued;
}

NaivePlan::Task* NaivePlan::asked(StepId step, const TaskIndex& index, Question::Kind kind) {
    for (auto* map : {&tasks_, &gates_}) {
        const auto it = map->find({step, index.path});
        if (it != map->end() && it->second.question == kind &&
            (kind != Question::Kind::until || it->second.round == index.round)) {
            return &it->second;
        }
    }
    return nullptr;
}

bool NaivePlan::on(const EdgesDecided& e, Timestamp) {
    Task* task = asked(e.step, e.index, Question::Kind::edges);
    if (task == nullptr) {
        return false;
    }
    task->edges_shut = true;
    for (std::size_t i = 0; i < node(e.step).needs.size(); ++i) {
        const auto& edge = node(e.step).needs[i];
        const bool closed = edge.conditional && !e.open.at(i);
        if (!closed && status(edge, e.index.path) != Status::skipped) {
            task->edges_shut = false;
        }
    }
    task->question.reset();
    return true;
}

bool NaivePlan::on(const WhenDecided& e, Timestamp) {
    Task* task = asked(e.step, e.index, Question::Kind::when);
    if (task == nullptr) {
        return false;
    }
    task->when = e.open;
    task->question.reset();
    return true;
}

bool NaivePlan::on(const ItemsDecided& e, Timestamp) {
    const Task* head = asked(e.step, e.index, Question::Kind::items);
    if (head == nullptr) {
        return false;
    }
    if (node(e.step).cleanup) {
        Task& gate = gates_[{e.step, e.index.path}] = *head;
        gate.state = TaskState::succeeded;
        gate.question.reset();
    }
    tasks_.erase({e.step, e.index.path});
    items_[{e.step, e.index.path}] = e.count;
    add_tasks(e.step, false, e.index.path, e.count);
    return true;
}

bool NaivePlan::on(const UntilDecided& e, Timestamp) {
    Task* task = asked(e.step, e.index, Question::Kind::until);
    if (task == nullptr) {
        return false;
    }
    task->question.reset();
    task->state = TaskState::running;
    after_round(e.step, *task, e.done);
    return true;
}

bool NaivePlan::on(const DecisionFailed& e, Timestamp) {
    Task* task = asked(e.question.step, e.question.index, e.question.kind);
    if (task == nullptr) {
        return false;
    }
    fail({e.question.step, e.question.index.path}, *task, Cause::user);
    return true;
}

NaivePlan::Task* NaivePlan::find_attempt(StepId step, const TaskIndex& index) {
    const Key key{step, index.path};
    const auto it = tasks_.find(key);
    return it == tasks_.end() || is_head(key) || it->second.round != index.round ? nullptr : &it->second;
}

bool NaivePlan::take_up(Task& task, std::uint32_t attempt) {
    if (is_active(task.state)) {
        return task.attempt == attempt;
    }
    const bool revived = task.state == TaskState::cancelled && task.unstarted && stopping();
    const bool fits = task.state == TaskState::ready || task.state == TaskState::retrying || revived ||
                      (task.state == TaskState::waiting && task.survivor);
    if (!fits || attempt != task.attempt + 1) {
        return false;
    }
    task.attempt = attempt;
    task.state = TaskState::queued;
    task.question.reset();
    task.unstarted = false;
    if (!revived) {
        return true;
    }
    for (auto& [key, other] : tasks_) {  // whatever the stop decided is decided again
        if (other.shut) {
            other.shut = false;
            other.state = TaskState::waiting;
        }
    }
    for (auto& [key, gate] : gates_) {
        if (!needs_ended(key)) {
            gate.state = TaskState::waiting;
        }
    }
    derive();
    return true;
}

bool NaivePlan::on(const TaskStarted& e, Timestamp) {
    Task* task = find_attempt(e.step, e.index);
    if (task == nullptr || task->state == TaskState::running || !take_up(*task, e.attempt)) {
        return false;
    }
    task->state = TaskState::running;
    return true;
}

bool NaivePlan::on(const TaskEnded& e, Timestamp at) {
    Task* task = find_attempt(e.step, e.index);
    if (task == nullptr || !take_up(*task, e.attempt)) {
        return false;
    }
    const auto& n = node(e.step);
    const bool survivor = std::exchange(task->survivor, false);
    if (e.cause == Cause::none) {
        round_succeeded(e.step, *task);
        return true;
    }
    task->cause = e.cause;
    if (e.cause == Cause::cancelled) {
        if (!held_back(e.step) && survivor) {
            make_ready(*task);
            return true;
        }
        task->survivor = survivor;
        task->state = TaskState::cancelled;
        if (!options_.keep_going) {
            stop(Stop::cancelled);
        }
        return true;
    }
    task->ooms += e.cause == Cause::oom ? 1 : 0;
    const bool listed = std::count(n.retry.on.begin(), n.retry.on.end(), e.cause) > 0;
    const bool other = !listed && e.cause != Cause::user && e.cause != Cause::timeout &&
                       e.cause != Cause::oom && e.cause != Cause::image && e.cause != Cause::quota;
    const bool again =
        !e.never_retry && ((listed && task->retries < n.retry.times) || (other && task->other_retries < 5));
    if (!again) {
        fail({e.step, e.index.path}, *task, e.cause);
    } else if (held_back(e.step)) {
        task->state = TaskState::cancelled;
    } else {
        const engine::Failure failure{other ? engine::Budget::other : engine::Budget::times, e.cause,
                                      task->retries, task->other_retries};
        task->retries += listed ? 1 : 0;
        task->other_retries += other ? 1 : 0;
        const auto noise =
            engine::retry_noise(options_.jitter_seed, e.step, e.index.path, task->round, task->attempt);
        const double delay = engine::retry_delay(n.retry, failure, noise);
        make_ready(*task);
        if (delay > 0) {
            task->state = TaskState::retrying;
            task->due = at.plus_seconds(delay);
        }
    }
    return true;
}

void NaivePlan::fail(const Key& key, Task& task, Cause cause) {
    task.cause = cause;
    task.round_done = false;
    const bool caught = node(key.first).caught;
    conclude(key, caught ? TaskState::caught : TaskState::failed);
    if (!caught && !options_.keep_going) {
        stop(Stop::failed);
    }
}

void NaivePlan::round_succeeded(StepId step, Task& task) {
    const auto& n = node(step);
    if (!n.repeat) {
        task.state = task.reused ? TaskState::cached : TaskState::succeeded;
    } else if (!n.until) {
        after_round(step, task, task.round >= n.max_rounds);
    } else {
        task.state = TaskState::waiting;
        task.round_done = true;
    }
}

void NaivePlan::after_round(StepId step, Task& task, bool done) {
    const auto& n = node(step);
    task.round_done = false;
    const bool last = n.max_rounds > 0 && task.round >= n.max_rounds;
    if (done || (last && n.on_max_ok)) {
        task.state = task.reused ? TaskState::cached : TaskState::succeeded;
    } else if (last) {
        for (auto& [key, other] : tasks_) {
            if (&other == &task) {
                return fail(key, task, Cause::user);
            }
        }
    } else {
        ++task.round;
        task.attempt = task.retries = task.other_retries = 0;
        task.reused = false;
        make_ready(task);
        task.state = held_back(step) ? TaskState::cancelled : TaskState::ready;
    }
}

bool NaivePlan::on(const TaskReused& e, Timestamp) {
    Task* task = find_attempt(e.step, e.index);
    if (task == nullptr || task->state == TaskState::running ||
        !take_up(*task, task->state == TaskState::queued ? task->attempt : task->attempt + 1)) {
        return false;
    }
    --task->attempt;
    task->reused = true;
    round_succeeded(e.step, *task);
    return true;
}

bool NaivePlan::on(const TaskReturned& e, Timestamp) {
    Task* task = find_attempt(e.step, e.index);
    if (task == nullptr || task->state != TaskState::queued) {
        return task != nullptr && task->state == TaskState::ready;
    }
    --task->attempt;
    task->cancel_given = false;
    make_ready(*task);
    if (held_back(e.step)) {
        task->state = TaskState::cancelled;
        task->unstarted = true;
    }
    return true;
}

bool NaivePlan::on(const RunCancelled&, Timestamp) {
    if (stopping() || (state() != RunState::pending && state() != RunState::running)) {
        return false;
    }
    stop(Stop::cancelled);
    return true;
}

bool NaivePlan::on(const RunTimedOut&, Timestamp) {
    if ((state() != RunState::pending && state() != RunState::running) || hard_ ||
        (stopping() && !cleaning_up())) {
        return false;
    }
    if (stopping()) {
        hard_ = true;
        sweep();
    } else {
        stop(Stop::timed_out);
    }
    return true;
}

bool NaivePlan::on(const RunReopened& e, Timestamp) {
    stop_ = Stop::none;
    hard_ = false;
    for (auto& [key, task] : tasks_) {
        const bool cleanup = node(key.first).cleanup;
        const TaskState s = task.state;
        const bool again =
            cleanup ? !is_active(s)
                    : is_bad(s) || s == TaskState::cancelled || (e.retry_caught && s == TaskState::caught);
        if (again || !is_terminal(s)) {
            task.retries = task.other_retries = task.ooms = 0;
            task.survivor =
                is_active(s)
                    ? task.cancel_given || cleanup
                    : task.unstarted || (cleanup && (s == TaskState::ready || s == TaskState::retrying ||
                                                     (s == TaskState::waiting && task.survivor)));
            task.cancel_given = false;
        }
        task.ready_since = clock_;
        if (again) {
            task.state = TaskState::waiting;
            task.question.reset();
            task.reused = task.shut = task.unstarted = false;
        }
        if (cleanup && !is_active(s)) {
            task.edges_shut.reset();
            task.when.reset();
            task.round_done = false;
        }
    }
    for (auto& [key, gate] : gates_) {
        gate = {};
    }
    return true;
}

}  // namespace amp::test
