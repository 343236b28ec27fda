#include "tests/support/scripted_backend.hpp"

#include <algorithm>
#include <utility>

namespace amp::test {
namespace {

AttemptId id_of(const TaskSpec& spec) {
    return {spec.task, spec.attempt};
}

/// Of a request that can never be met, as the keeper does.
AttemptResult refusal(const TaskSpec& spec, Timestamp now) {
    AttemptResult result;
    result.task = spec.task;
    result.attempt = spec.attempt;
    result.cause = Cause::quota;
    result.exit = -1;
    result.message = "it needs more than there is";
    result.started = result.ended = now;
    return result;
}

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

}  // namespace

Verdict succeed() {
    return {};
}

Verdict succeed_with(std::map<std::string, Artifact> artifacts) {
    Verdict verdict;
    verdict.artifacts = std::move(artifacts);
    return verdict;
}

Verdict fail(Cause cause, int exit) {
    Verdict verdict;
    verdict.cause = cause;
    verdict.exit = exit;
    verdict.message = "as the test says";
    return verdict;
}

ScriptedBackend::ScriptedBackend(Clock& clock, Script script) : clock_(clock), script_(std::move(script)) {}

void ScriptedBackend::set_adoption(Adoption adoption) {
    for (const AttemptStarted& running : adoption.running) {
        Held held;
        held.spec.task = running.id.task;
        held.spec.attempt = running.id.attempt;
        held.verdict = script_(held.spec);
        held.started = running.at;
        held.ends_at = clock_.steady_seconds() + held.verdict.takes_s;
        known_.insert(running.id);
        running_.push_back(std::move(held));
    }
    adoption_ = std::move(adoption);
}

Adoption ScriptedBackend::adopt() {
    return std::exchange(adoption_, {});
}

void ScriptedBackend::submit(std::span<const TaskSpec> specs) {
    for (const TaskSpec& spec : specs) {
        submitted_.push_back(spec);
        if (!known_.insert(id_of(spec)).second) {
            continue;
        }
        if (spec.resources.cpu > capacity_.cpu || spec.resources.gpu > capacity_.gpu ||
            spec.resources.memory_bytes > capacity_.memory_bytes) {
            inject(AttemptEnded{refusal(spec, clock_.now())});
        } else {
            waiting_.push_back({spec, script_(spec), 0, {}, false});
        }
    }
}

void ScriptedBackend::cancel(std::span<const AttemptId> attempts) {
    for (const AttemptId& id : attempts) {
        cancelled_.push_back(id);
        const auto running = std::find_if(running_.begin(), running_.end(),
                                          [&](const Held& held) { return id_of(held.spec) == id; });
        if (running != running_.end() && running->verdict.heeds_cancel) {
            running->cancelled = true;
        }
        forget_waiting(id);
    }
}

void ScriptedBackend::kill(std::span<const AttemptId> attempts) {
    killed_.insert(killed_.end(), attempts.begin(), attempts.end());
    for (Held& held : running_) {
        const bool meant = std::find(attempts.begin(), attempts.end(), id_of(held.spec)) != attempts.end();
        held.cancelled = held.cancelled || (meant && held.verdict.heeds_kill);
    }
    for (const AttemptId& id : attempts) {
        forget_waiting(id);
    }
}

void ScriptedBackend::forget_waiting(const AttemptId& id) {
    const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                      [&](const Held& held) { return id_of(held.spec) == id; });
    if (waiting != waiting_.end()) {
        waiting->cancelled = true;
        waiting->started = clock_.now();
        running_.push_back(std::move(*waiting));
        waiting_.erase(waiting);
    }
}

void ScriptedBackend::go_on() {
    ++times_gone_on_;
    held_back_ = false;
}

void ScriptedBackend::die(std::string reason) {
    for (const Held& held : running_) {
        known_.erase(id_of(held.spec));
    }
    for (const Held& held : waiting_) {
        known_.erase(id_of(held.spec));
    }
    running_.clear();
    waiting_.clear();
    injected_.emplace_back(BackendLost{std::move(reason)});
}

void ScriptedBackend::ask_cancel(std::string who) {
    injected_.emplace_back(CancelAsked{std::move(who)});
}

void ScriptedBackend::inject(BackendEvent event) {
    injected_.push_back(std::move(event));
}

std::size_t ScriptedBackend::times_started(const TaskName& task) const {
    const auto found = starts_.find(task);
    return found == starts_.end() ? 0 : found->second;
}

std::optional<double> ScriptedBackend::next_end() const {
    std::optional<double> next;
    for (const Held& held : running_) {
        if (held.verdict.answer != Verdict::Answer::lost) {
            next = next ? std::min(*next, held.ends_at) : held.ends_at;
        }
    }
    return next;
}

std::vector<BackendEvent> ScriptedBackend::events() {
    std::vector<BackendEvent> out = std::exchange(injected_, {});
    end_running(out);
    start_waiting(out);
    end_running(out);
    return out;
}

void ScriptedBackend::start_waiting(std::vector<BackendEvent>& out) {
    while (!held_back_ && !waiting_.empty() && running_.size() < workers_) {
        Held held = std::move(waiting_.front());
        waiting_.pop_front();
        const AttemptId id = id_of(held.spec);
        if (!held.verdict.queued_reason.empty()) {
            out.emplace_back(AttemptQueued{id, held.verdict.queued_reason});
        }
        held.started = clock_.now();
        held.ends_at = clock_.steady_seconds() + held.verdict.takes_s;
        out.emplace_back(AttemptStarted{id, "scripted", held.started});
        ++starts_[held.spec.task];
        running_.push_back(std::move(held));
        most_running_ = std::max(most_running_, running_.size());
    }
}

void ScriptedBackend::end_running(std::vector<BackendEvent>& out) {
    const double now = clock_.steady_seconds();
    std::vector<Held> still;
    for (Held& held : std::exchange(running_, {})) {
        const bool due = held.ends_at <= now && held.verdict.answer != Verdict::Answer::lost;
        if (held.cancelled || due) {
            end(held, out);
        } else {
            still.push_back(std::move(held));
        }
    }
    running_ = std::move(still);
}

void ScriptedBackend::end(const Held& held, std::vector<BackendEvent>& out) {
    AttemptResult result;
    result.task = held.spec.task;
    result.attempt = held.spec.attempt;
    result.cause = held.cancelled ? Cause::cancelled : held.verdict.cause;
    result.exit = held.cancelled ? -1 : held.verdict.exit;
    result.message = held.cancelled ? "cancelled" : held.verdict.message;
    result.started = held.started;
    result.ended = clock_.now();
    result.artifacts = held.verdict.artifacts;
    if (held.verdict.answer == Verdict::Answer::garbled) {
        result.cause = Cause::infra;
        result.message = "its result could not be read";
        result.artifacts.clear();
    }
    held_back_ = held_back_ || is_failure(result.cause);
    if (held.verdict.answer == Verdict::Answer::unknown) {
        AttemptResult stranger = result;
        stranger.attempt += 1000;
        out.emplace_back(AttemptEnded{std::move(stranger)});
    }
    out.emplace_back(AttemptEnded{result});
    if (held.verdict.answer == Verdict::Answer::duplicate) {
        out.emplace_back(AttemptEnded{result});
    }
    if (held.verdict.answer == Verdict::Answer::late) {
        out.emplace_back(AttemptStarted{id_of(held.spec), "scripted", held.started});
    }
}

}  // namespace amp::test
