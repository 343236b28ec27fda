#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/ports/task_spec.hpp"

namespace amp {

struct AttemptId {
    TaskName task;
    std::uint32_t attempt = 1;
    auto operator<=>(const AttemptId&) const = default;
};

/// The backend holds it but cannot start it yet. May repeat with another reason.
struct AttemptQueued {
    AttemptId id;
    std::string reason;
};

struct AttemptStarted {
    AttemptId id;
    std::string where;  ///< host or node
    Timestamp at;
};

struct AttemptEnded {
    AttemptResult result;
};

/// Somebody asked through the backend's own channel that the whole run be cancelled (`amp cancel`).
struct CancelAsked {
    std::string who;
};

/// The backend itself is gone (keeper killed, agent unreachable for good). No AttemptEnded will follow for
/// what it held: what had started is lost, what had not is free to be submitted again, after another `open`.
struct BackendLost {
    std::string reason;
    std::optional<std::vector<AttemptId>> held = {};  ///< these; unset: all that was submitted
};

/// Something that the user should know.
struct BackendNote {
    std::string text;
};

/// A running task asks for a run of its own (`amp spawn`). It is answered by Backend::answer, and comes again
/// to each driver until it is.
struct SpawnAsked {
    AttemptId id;              ///< who asks
    std::uint64_t ticket = 0;  ///< of this question: goes back with the answer
    Value request;             ///< {flow, params: [[name, text]], key, wait}
};

using BackendEvent = std::variant<AttemptQueued, AttemptStarted, AttemptEnded, CancelAsked, BackendLost,
                                  BackendNote, SpawnAsked>;

/// What becomes of a SpawnAsked: first the run or why there is none; then, where it waits, how that ended.
struct SpawnAnswer {
    std::uint64_t ticket = 0;
    std::string run;
    std::string error;        ///< not empty: there is no run
    std::optional<int> exit;  ///< the run has ended: what `amp run` would exit with
    std::string state;        ///< of a run that has ended
};

/// What a backend knows of earlier drivers' attempts, answered by `adopt`.
struct Adoption {
    std::vector<AttemptStarted> running;  ///< still running; their AttemptEnded will come as events
    std::vector<AttemptResult> ended;     ///< ended, maybe known already; in the order of their ends
    std::vector<AttemptId> lost;          ///< started, and dead without a result
};

struct Capacity {
    double cpu = 0;
    std::uint64_t memory_bytes = 0;
    std::uint32_t gpu = 0;
};

/// Where tasks execute. Knows nothing of flows. Contract (tests/support/backend_contract.hpp holds it):
/// - submit is idempotent by AttemptId: the same attempt twice runs once.
/// - Each submitted attempt gets exactly one AttemptEnded, unless BackendLost comes first. AttemptStarted
/// precedes it
///   when it started at all. Events of unknown or ended attempts never reach the caller; a garbled message
///   from below is an error event for that attempt (cause infra) or is dropped with a note, never a crash.
/// - cancel ends the whole process group or job, TERM then KILL after the spec's grace, and then gives
///   AttemptEnded with cause cancelled (or its true end, if that came first). Unknown ids are ignored.
/// - A gang is one attempt: all of its ranks start or none; the first to fail ends all, and gives the cause.
/// - Started attempts are told as lost (BackendLost, Adoption) only when nothing of them runs any more.
/// - After a failed attempt nothing queued is started until `go_on` (fail-fast is the engine's decision).
class Backend {
  public:
    virtual ~Backend() = default;

    /// What one attempt can get at most; requests beyond it never start.
    virtual Capacity capacity() = 0;
    /// How many attempts it is useful to have submitted and not ended, so that it never waits for the caller.
    virtual std::size_t window() = 0;
    /// Call once, first: takes over what earlier drivers left behind; afterwards those have no say.
    virtual Adoption adopt() = 0;
    /// Makes it ready to take tasks, so that it can also be asked to cancel while there are none: call when
    /// driving begins, and again after BackendLost.
    /// @throws Error(infrastructure) when that cannot be; Error(busy) when a later driver is in charge
    virtual void open() = 0;

    virtual void submit(std::span<const TaskSpec> specs) = 0;
    virtual void cancel(std::span<const AttemptId> attempts) = 0;
    /// As cancel, with KILL at once.
    virtual void kill(std::span<const AttemptId> attempts) = 0;
    /// Starting may continue after the failures seen so far.
    virtual void go_on() = 0;

    virtual void answer(const SpawnAnswer& /*answer*/) {}

    /// Readable (poll) when events() may give something; -1: none.
    virtual int event_fd() = 0;
    /// All events that have come, without blocking.
    virtual std::vector<BackendEvent> events() = 0;

    /// Nothing more will be submitted: lets go. What still runs goes on.
    virtual void close() = 0;
};

}  // namespace amp
