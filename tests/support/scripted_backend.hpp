#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/backend.hpp"
#include "core/ports/clock.hpp"

namespace amp::test {

/// What becomes of one attempt in a ScriptedBackend.
struct Verdict {
    /// How the answer reaches the driver. All but `plain` and `garbled` break the contract on purpose, as a
    /// broken network or an old driver's leftovers would.
    enum class Answer {
        plain,
        lost,       ///< it never ends, until `die`
        duplicate,  ///< its end comes twice
        late,       ///< its start comes once more, behind its end
        unknown,    ///< the end of an attempt that nobody submitted comes before its own
        garbled     ///< what came could not be read: cause infra
    };

    Cause cause = Cause::none;
    int exit = 0;
    std::string message;
    std::map<std::string, Artifact> artifacts;
    double takes_s = 0;         ///< by the clock, from its start
    std::string queued_reason;  ///< not empty: AttemptQueued comes first
    bool heeds_cancel = true;   ///< false: a cancelled one ends when and as it would have
    bool heeds_kill = true;     ///< false: as one that hangs in the kernel
    Answer answer = Answer::plain;
};

Verdict succeed();
Verdict succeed_with(std::map<std::string, Artifact> artifacts);
Verdict fail(Cause cause = Cause::user, int exit = 1);

/// A backend that does as each test says. An attempt starts with the first call of events() after its
/// submission, while fewer than `workers` run and no failure waits for `go_on`; it ends with the first call
/// after `takes_s`.
class ScriptedBackend : public Backend {
  public:
    using Script = std::function<Verdict(const TaskSpec&)>;

    explicit ScriptedBackend(
        Clock& clock, Script script = [](const TaskSpec&) { return Verdict(); });

    Capacity capacity() override { return capacity_; }
    std::size_t window() override { return window_; }
    Adoption adopt() override;
    void open() override { ++times_opened_; }
    void submit(std::span<const TaskSpec> specs) override;
    void cancel(std::span<const AttemptId> attempts) override;
    void kill(std::span<const AttemptId> attempts) override;
    void go_on() override;
    int event_fd() override { return -1; }
    std::vector<BackendEvent> events() override;
    void close() override { closed_ = true; }

    // For tests: what will happen …
    void set_script(Script script) { script_ = std::move(script); }
    void set_capacity(Capacity capacity) { capacity_ = capacity; }
    void set_window(std::size_t window) { window_ = window; }
    void set_workers(std::size_t workers) { workers_ = workers; }
    void set_adoption(Adoption adoption);
    /// The backend is gone: BackendLost comes next, and nothing of what it held.
    void die(std::string reason);
    void ask_cancel(std::string who);
    void inject(BackendEvent event);
    /// When the next attempt ends, in seconds of the clock's steady time; nullopt: none will by itself.
    std::optional<double> next_end() const;

    // … and what has happened.
    const std::vector<TaskSpec>& submitted() const { return submitted_; }
    const std::vector<AttemptId>& cancelled() const { return cancelled_; }
    const std::vector<AttemptId>& killed() const { return killed_; }
    std::size_t times_opened() const { return times_opened_; }
    std::size_t times_gone_on() const { return times_gone_on_; }
    std::size_t running() const { return running_.size(); }
    std::size_t most_running() const { return most_running_; }
    bool closed() const { return closed_; }
    std::size_t times_started(const TaskName& task) const;

  private:
    struct Held {
        TaskSpec spec;
        Verdict verdict;
        double ends_at = 0;
        Timestamp started;
        bool cancelled = false;
    };

    void start_waiting(std::vector<BackendEvent>& out);
    void end_running(std::vector<BackendEvent>& out);
    void end(const Held& held, std::vector<BackendEvent>& out);
    void forget_waiting(const AttemptId& id);

    Clock& clock_;
    Script script_;
    Capacity capacity_{64, std::uint64_t{1} << 40, 0};
    std::size_t window_ = 1024;
    std::size_t workers_ = 1024;
    Adoption adoption_;
    std::deque<Held> waiting_;
    std::vector<Held> running_;
    std::set<AttemptId> known_;
    std::vector<BackendEvent> injected_;
    bool held_back_ = false;  ///< a failure waits for go_on
    std::vector<TaskSpec> submitted_;
    std::vector<AttemptId> cancelled_;
    std::vector<AttemptId> killed_;
    std::size_t times_opened_ = 0;
    std::size_t times_gone_on_ = 0;
    std::size_t most_running_ = 0;
    std::map<TaskName, std::size_t> starts_;
    bool closed_ = false;
};

}  // namespace amp::test
