#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/ports/object_store.hpp"
#include "core/ports/process_identity.hpp"
#include "core/ports/task_spec.hpp"

// An attempt that runs where no keeper is may be started twice: a submission whose answer was lost, a pod of
// a Job made anew, a requeue. Its execution therefore claims it first, and of all that come to an end one
// commits:
//
//     claim    put if absent when it starts; swapped only when the holder is known to be dead
//     commit   put if absent when it has succeeded; one a task, whatever the attempt. From here on it is done
//     result   put if absent: how the attempt ended. Of a success it is a copy of the commit

namespace amp {

/// One execution of an attempt.
struct Claim {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string token;            ///< of the attempt
    std::string id;               ///< of this execution
    std::uint32_t epoch = 1;      ///< of the driver that handed the attempt out
    std::uint32_t execution = 1;  ///< of this attempt: higher after each take-over
    ProcessIdentity by;
    std::string job;            ///< as the scheduler names it: "slurm:4711"; empty: none
    std::uint32_t restart = 0;  ///< how often the scheduler has started that job before
    Timestamp at;
};

/// How an attempt ended, and whose word it is.
struct AttemptRecord {
    Claim by;
    AttemptResult result;
};

struct ClaimWish {
    std::string run;
    Claim claim;  ///< of ours; its execution is found
    /// Does a process near us live?
    std::function<bool(const ProcessIdentity&)> lives;
};
struct ClaimOutcome {
    std::optional<Claim> ours;    ///< unset: it is not for us to do
    std::optional<Claim> before;  ///< whose it was: an execution that has died
    std::string refusal;          ///< why not
};

/// Claims an attempt, durably.
ClaimOutcome claim_attempt(ObjectStore& store, const ClaimWish& wish);

/// May an execution take over what another one holds? Why not; empty: it may.
std::string why_not_take_over(const Claim& holder, const Claim& ours,
                              const std::function<bool(const ProcessIdentity&)>& lives);

/// The job that we are part of and how often it was started before, as Slurm and AWS Batch tell in the
/// environment.
std::pair<std::string, std::uint32_t> scheduler_job(
    const std::map<std::string, std::string, std::less<>>& environment);

/// Records the end of an attempt, durably. False: somebody else has it or the task, and nothing of this
/// execution counts. All objects that it names must be durable.
bool record_attempt(ObjectStore& store, const std::string& run, const Claim& ours,
                    const AttemptResult& result);

/// The attempt of a task that counts; nullopt: none has succeeded yet.
std::optional<AttemptRecord> read_commit(ObjectStore& store, const std::string& run, const TaskName& task);
/// How an attempt ended; nullopt: that is not recorded (yet).
std::optional<AttemptRecord> read_attempt(ObjectStore& store, const std::string& run, const TaskName& task,
                                          std::uint32_t attempt);
/// Who does an attempt, or did it last.
std::optional<Claim> read_claim(ObjectStore& store, const std::string& run, const TaskName& task,
                                std::uint32_t attempt);

/// Says that an attempt is to be ended for good, before the scheduler is asked to end it.
void ask_to_cancel(ObjectStore& store, const std::string& run, const TaskName& task, std::uint32_t attempt);
bool is_cancel_asked(ObjectStore& store, const std::string& run, const TaskName& task, std::uint32_t attempt);

}  // namespace amp
