#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/engine/plan.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/load.hpp"
#include "core/flow/subflows.hpp"
#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/run_data.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"

namespace amp {

/// A flow file read, loaded and validated.
struct LoadedFlow {
    Flow flow;
    Graph graph;
    Diagnostics diagnostics;
    Subflows subflows;
};
/// @param path of the file; empty: flow.toml in the current folder, else in the project's; "-": standard
/// input, whose relative files are the project's
/// Checks also what this machine can give (for steps of the local backend), and the variables and the git
/// that the flow asks for. Diagnostics are not thrown.
/// @param starting it runs now: what will surely be missing is an error, not a warning
/// @param fit what the machine does not have will be cut, and is no error
/// @throws Error(not_found)
LoadedFlow load_and_validate(Services& services, const Project& project, const std::string& path,
                             const std::vector<std::pair<std::string, std::string>>& config_files = {},
                             bool starting = false, bool fit = false);

struct ParameterSources {
    std::vector<std::pair<std::string, std::string>> given;   ///< -p name=value, in order
    std::string file;                                         ///< --params
    std::vector<std::pair<std::string, std::string>> config;  ///< --config name=file
    std::vector<std::string> bare;  ///< of `given`, those that stood alone: --name, which says "true"
    bool empty() const { return given.empty() && file.empty() && config.empty(); }
};

struct StartOptions {
    std::string flow;  ///< path; empty: flow.toml; "-": standard input
    std::string
        like;  ///< a run whose parameters and --config stand where nothing else is given; and its flow
    ParameterSources params;
    std::vector<std::string> tags;
    std::optional<std::size_t> max_workers;
    std::optional<bool> keep_going;
    bool fit = false;  ///< requests beyond what this machine has are cut down to it, not refused
    std::vector<std::string> until;          ///< these steps and their ancestors are the run
    std::vector<std::string> only;           ///< these steps alone, with inputs of `origin`
    std::string origin;                      ///< a run; given with `only`
    std::optional<std::string> concurrency;  ///< instead of the flow's
    bool no_cache = false;                   ///< take no results of other runs over
    double hold_s = 0;                       ///< as DriveOptions::hold_s
};

/// How a run is to be driven.
struct DriveOptions {
    bool resumed = false;  ///< it has been driven before: adopt what runs, open what failed
    bool retry_caught = false;
    bool take_over = false;       ///< also from a driver on another host whose lease has not run out
    bool no_cache = false;        ///< take no results of other runs over
    std::size_t max_workers = 0;  ///< instead of the record's; 0: the record's
    std::string concurrency;      ///< instead of the record's; empty: the record's
    double hold_s = 0;            ///< how long places of failed tasks are kept for `amp shell`; 0: not
};

/// A run that is recorded, and about to be driven.
struct PreparedRun {
    std::string run;          ///< empty: it is skipped
    std::string skipped_for;  ///< the run of its flow that is on
    DriveOptions drive;
    std::unique_ptr<const RecordedFlow> flow;  ///< of its record, where it is loaded already
};

/// How driving a run ended.
struct RunOutcome {
    std::string run;
    RunState state = RunState::pending;
    bool store_full = false;   ///< interrupted since there was no room for what comes
    std::string skipped_for;   ///< nothing was done, since this run of the flow is on
    bool interrupted = false;  ///< stopped by a signal before its end: can be resumed
    bool left = false;         ///< it goes on elsewhere; only who followed it went
    int signal = 0;
    std::uint64_t caught = 0;
    bool timed_out = false;
    Cause first_cause = Cause::none;
    std::string first_failure;  ///< the task and why: "train/3: exit 1"; empty: none failed now
    int first_exit = 0;         ///< of that task
    ExitCode exit_code() const;
};

/// The record that a run started now would have, but for its id, its time and its code; nothing is written.
/// @throws InvalidFlow when the flow has errors
RunRecord prospective_record(Services& services, const Project& project, const StartOptions& given,
                             LoadedFlow& loaded);

/// Validates, records and drives a run to its end (or to an interruption).
/// @throws InvalidFlow when the flow has errors
RunOutcome start_run(Services& services, const Project& project, const StartOptions& options,
                     RunObserver& observer);

/// What start_run does before anything is driven: the run is recorded.
/// @throws InvalidFlow when the flow has errors
PreparedRun prepare_start(Services& services, const Project& project, const StartOptions& given,
                          RunObserver& observer);

/// The flow, its parameters or configuration are invalid, or the settings are: carries the diagnostics for
/// rendering.
class InvalidFlow : public Error {
  public:
    InvalidFlow(Diagnostics diagnostics, std::string path, std::string source);
    /// @param error what it is where there is room for one text only
    InvalidFlow(Error error, Diagnostics diagnostics, std::string path, std::string source);
    const Diagnostics& diagnostics() const { return diagnostics_; }
    const std::string& path() const { return path_; }
    const std::string& source() const { return source_; }

  private:
    Diagnostics diagnostics_;
    std::string path_;
    std::string source_;
};

struct ResumeOptions {
    std::string run;  ///< reference
    ParameterSources params;
    std::optional<std::size_t> max_workers;
    std::optional<bool> keep_going;
    bool take_over = false;
    bool relock = false;  ///< environments are what the project's files say now
    bool retry_caught = false;
    /// These steps and all that need them run again: in a new run, of the whole flow unless `until` is given.
    std::vector<std::string> from;
    std::vector<std::string> until;          ///< a new run of these steps and their ancestors
    std::optional<std::string> concurrency;  ///< instead of the run's own
    bool no_cache = false;
    double hold_s = 0;  ///< as DriveOptions::hold_s
};

/// Goes on with a run, or, when flow, parameters or code differ, makes a new one that reuses what is
/// unchanged.
/// @throws Error(busy) when somebody drives it
RunOutcome resume_run(Services& services, const Project& project, const ResumeOptions& options,
                      RunObserver& observer);

/// What resume_run does before anything is driven. @throws Error(busy) when the run is still at work
PreparedRun prepare_resume(Services& services, const Project& project, const ResumeOptions& options,
                           RunObserver& observer);

/// Drives what was prepared, in the store that it is in.
RunOutcome drive_prepared(Services& services, OpenStore& store, PreparedRun prepared, RunObserver& observer);

/// Asks the run's driver or keeper to cancel; a run that nobody drives is cancelled in its journal (its
/// clean-up steps do not run). True when it was still open.
bool cancel_run(Services& services, const Project& project, const std::string& reference);
/// @param who asks, as the run's record will say
bool cancel_run(Services& services, OpenStore& store, const std::string& run, const std::string& who);

}  // namespace amp
