#include "core/run/conductor_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"

namespace amp {
namespace {

constexpr std::size_t k_window_a_child = 4;  // of a run's window: so many of its children are driven at once
constexpr int k_never_again = 202;

/// What a child has to say is said in its parent's name; what becomes of its tasks is told by its own record.
class ChildObserver : public RunObserver {
  public:
    ChildObserver(RunObserver& parent, std::string name, std::string run)
        : parent_(parent), name_(std::move(name)), run_(std::move(run)) {}
    void note(const std::string& text) override { parent_.note(name_ + ": " + text); }
    void task_waits(const TaskName& task, const std::string& what) override {
        const std::string answer =
            what == "approval" ? fmt::format(": amp approve {}/{}", run_, task.text()) : std::string();
        parent_.note(fmt::format("{}: {} waits for {}{}", name_, task.text(), what, answer));
    }

  private:
    RunObserver& parent_;
    std::string name_;
    std::string run_;
};

/// What is not the machine's fault would fail again.
bool is_users_fault(ExitCode code) {
    return code == ExitCode::invalid || code == ExitCode::usage || code == ExitCode::not_found;
}

}  // namespace

void Conductor::Node::open(const std::string& run_id, const DriveOptions& options,
                           std::unique_ptr<const RecordedFlow> flow) {
    id = run_id;
    TreeSlots* slots = kind == Kind::root ? nullptr : &tree_.slots();
    run = std::make_unique<DrivenRun>(
        DrivenRun::Setup{tree_.services_, tree_.store_, observer, *this, slots,
                         [this](const AttemptId& child) { end_child(child); }, kind != Kind::root},
        run_id, options, std::move(flow));
}

void Conductor::Node::start(const TaskSpec& spec, const ChildFlow& child) {
    run->router().add_child({spec.task, spec.attempt});
    waiting_.push_back({spec, child});
    dirty = true;
}

void Conductor::Node::end_attempt(const AttemptId& ended, Cause cause, int exit, const std::string& message,
                                  std::map<std::string, Artifact> artifacts, Timestamp since) {
    AttemptResult result;
    result.task = ended.task;
    result.attempt = ended.attempt;
    result.cause = cause;
    result.exit = exit;
    result.message = message;
    result.artifacts = std::move(artifacts);
    result.ended = tree_.services_.clock.now();
    result.started = since.ms == 0 ? result.ended : since;
    run->router().tell(AttemptEnded{std::move(result)});
    dirty = true;
}

/// A graceful stop reaches the child itself: it is interrupted, not cancelled.
void Conductor::Node::end_child(const AttemptId& child) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) {
        return w.spec.task == child.task && w.spec.attempt == child.attempt;
    });
    if (found != waiting_.end()) {
        waiting_.erase(found);
        end_attempt(child, Cause::cancelled, -1, "cancelled before it started", {}, {});
        return;
    }
    if (tree_.stopping()) {
        return;
    }
    for (const auto& node : tree_.nodes_) {
        if (node->parent == this && node->kind == Kind::task && node->attempt == child) {
            node->asked_to_end = true;
            node->cancel("run " + id);
        }
    }
}

void Conductor::Node::cancel(const std::string& who) {
    if (run && !run->outcome()) {
        run->driver().cancel(who);
        dirty = true;
    }
}

void Conductor::Node::start_waiting() {
    const std::size_t most = std::max<std::size_t>(1, run->router().window() / k_window_a_child);
    while (!waiting_.empty() && tasks_ < most && !tree_.stopping()) {
        const Waiting next = std::move(waiting_.front());
        waiting_.pop_front();
        try {
            begin_child(next);
        } catch (const Error& error) {
            const bool user = is_users_fault(error.code());
            end_attempt({next.spec.task, next.spec.attempt}, user ? Cause::user : Cause::infra,
                        user ? k_never_again : -1, error.message(), {}, {});
        }
    }
}

void Conductor::Node::begin_child(const Waiting& next) {
    if (kind == Kind::root) {
        run->router().share(tree_.slots());
    }
    const TaskName& task = next.spec.task;
    RunRecord record = child_record(tree_.services_, tree_.store_, run->record(), task, next.child);
    const ChildRun child =
        ensure_child_run(tree_.services_, tree_.store_, id, task.text(), task.text(), std::move(record));
    auto watcher = std::make_unique<ChildObserver>(observer, task.text(), child.run);
    auto node = std::make_unique<Node>(tree_, Kind::task, this, *watcher);
    node->own_observer = std::move(watcher);
    node->attempt = {task, next.spec.attempt};
    node->outputs = next.spec.outputs;
    node->started = tree_.services_.clock.now();
    node->timeout_s = next.spec.timeout_s;
    if (node->timeout_s > 0) {
        node->deadline = tree_.services_.clock.steady_seconds() + node->timeout_s;
    }
    DriveOptions options;
    options.resumed = child.existed;
    options.retry_caught = tree_.options_.retry_caught;
    options.take_over = tree_.options_.take_over;
    options.no_cache = tree_.options_.no_cache;
    options.hold_s = tree_.options_.hold_s;
    node->open(child.run, options, {});
    run->router().tell(AttemptStarted{node->attempt, "run " + child.run, node->started});
    node->run->begin();
    ++children;
    ++tasks_;
    Node& begun = tree_.add(std::move(node));
    if (child.existed && !begun.run->outcome()) {
        begun.resume_spawned();
    }
}

void Conductor::Node::watch_deadline() {
    if (!timed_out && tree_.services_.clock.steady_seconds() >= deadline) {
        timed_out = true;
        cancel("its timeout");
    }
}

double Conductor::Node::seconds_to_wait() const {
    double wait = HUGE_VAL;
    if (!run->outcome()) {
        wait = run->driver().seconds_to_wait();
        if (!timed_out) {
            wait = std::min(wait, deadline - tree_.services_.clock.steady_seconds());
        }
    }
    return wait;
}

/// Each goes on when it has its slots again.
void Conductor::Node::tell_askers(int exit, const std::string& state) {
    for (const Asker& asker : askers) {
        TaskRouter& router = asker.node->run->router();
        const SpawnAnswer answer{asker.ticket, id, {}, exit, state};
        router.take_back(asker.attempt, [&router, answer] { router.answer(answer); });
    }
}

void Conductor::Node::report() {
    const RunOutcome& outcome = *run->outcome();
    --parent->children;
    parent->dirty = true;
    if (kind == Kind::spawned) {
        tell_askers(static_cast<int>(outcome.exit_code()),
                    outcome.interrupted ? "interrupted" : std::string(state_name(outcome.state)));
        return;
    }
    --parent->tasks_;
    const auto tell = [&](Cause cause, int exit, const std::string& message,
                          std::map<std::string, Artifact> made = {}) {
        parent->end_attempt(attempt, cause, exit, message, std::move(made), started);
    };
    if (outcome.interrupted) {
        tell(Cause::cancelled, -1, fmt::format("run {} was interrupted", id));
    } else if (outcome.state == RunState::succeeded) {
        try {
            tell(Cause::none, 0, {}, child_outputs(tree_.store_, run->data(), outputs));
        } catch (const Error& error) {
            const bool user = is_users_fault(error.code());
            tell(user ? Cause::user : Cause::infra, user ? k_never_again : -1, error.message());
        }
    } else if (timed_out) {
        tell(Cause::timeout, -1, fmt::format("timeout after {:g} s, of run {}", timeout_s, id));
    } else if (outcome.state == RunState::cancelled && outcome.first_cause == Cause::none) {
        if (asked_to_end) {
            tell(Cause::cancelled, -1, fmt::format("run {} was cancelled", id));
        } else {  // by somebody who meant this run alone
            tell(Cause::user, k_never_again, fmt::format("run {} was cancelled", id));
        }
    } else {
        const Cause cause = outcome.timed_out                    ? Cause::timeout
                            : outcome.first_cause == Cause::none ? Cause::user
                                                                 : outcome.first_cause;
        tell(asked_to_end ? Cause::cancelled : cause, outcome.first_exit == 0 ? -1 : outcome.first_exit,
             fmt::format("run {} {}{}{}", id, state_name(outcome.state),
                         outcome.first_failure.empty() ? "" : ": ", outcome.first_failure));
    }
}

/// It cannot be driven any more, as if its orchestrator had died; others go on.
void Conductor::Node::fail(const Error& error) {
    --parent->children;
    parent->dirty = true;
    observer.note(error.advice());
    if (kind == Kind::spawned) {
        tell_askers(static_cast<int>(error.code()), "interrupted");
        return;
    }
    --parent->tasks_;
    parent->end_attempt(attempt, Cause::infra, -1, fmt::format("run {}: {}", id, error.message()), {},
                        started);
}

void Conductor::Node::spawn(const SpawnAsked& asked) {
    try {
        answer_spawn(asked);
    } catch (const Error& error) {
        run->router().answer({asked.ticket, {}, error.advice(), std::nullopt, {}});
    }
}

void Conductor::Node::answer_spawn(const SpawnAsked& asked) {
    const std::string task = asked.id.task.text();
    std::string key = get_string(asked.request, "key");
    if (key.empty()) {
        const Value* params = asked.request.find("params");
        key = sha256_hex(get_string(asked.request, "flow") + "\n" +
                         (params ? json::dump(*params) : std::string()));
    }
    key = "spawn:" + task + ":" + key;
    auto child = find_child(tree_.store_, id, key);
    const auto living = [&]() -> Node* {
        for (const auto& node : tree_.nodes_) {
            if (child && node->id == child->run) {
                return node.get();
            }
        }
        return nullptr;
    };
    Node* node = living();
    if (node == nullptr) {
        if (!child || !child->existed) {
            child = ensure_child_run(
                tree_.services_, tree_.store_, id, key, task,
                spawned_record(tree_.services_, tree_.store_, run->record(), asked.id.task, asked.request));
        }
        node = &begin_spawned(*child, task);
    }
    run->router().answer({asked.ticket, child->run, {}, std::nullopt, {}});
    if (get_bool(asked.request, "wait")) {
        node->askers.push_back({this, asked.ticket, asked.id});
        run->router().lend(asked.id);
    }
}

Conductor::Node& Conductor::Node::begin_spawned(const ChildRun& child, const std::string& task) {
    if (kind == Kind::root) {
        run->router().share(tree_.slots());
    }
    auto watcher = std::make_unique<ChildObserver>(observer, task + " → " + child.run, child.run);
    auto node = std::make_unique<Node>(tree_, Kind::spawned, this, *watcher);
    node->own_observer = std::move(watcher);
    DriveOptions options;
    options.resumed = child.existed;
    options.take_over = tree_.options_.take_over;
    options.hold_s = tree_.options_.hold_s;
    node->open(child.run, options, {});
    node->run->begin();
    ++children;
    return tree_.add(std::move(node));
}

/// What an earlier driver's tasks had spawned, and what has not ended since.
void Conductor::Node::resume_spawned() {
    for (const ChildRun& child : children_of(tree_.store_, id)) {
        if (!child.spawned || !child.existed) {
            continue;
        }
        try {
            if (!read_whole_run(tree_.store_, child.run).end) {
                begin_spawned(child, child.task);
            }
        } catch (const Error& error) {
            observer.note(fmt::format("run {}: {}", child.run, error.advice()));
        }
    }
}

}  // namespace amp
