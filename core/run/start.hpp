#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/engine/plan.hpp"
#include "core/flow/diagnostic.hpp"
#include "core/flow/load.hpp"
#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

/// A flow file read, loaded and validated.
struct LoadedFlow {
    Flow flow;
    Graph graph;
    Diagnostics diagnostics;
};
/// @param path of the file; empty: flow.toml in the current folder, else in the project's
/// Checks also what this machine can give (for steps of the local backend). Diagnostics are not thrown.
/// @throws Error(not_found)
LoadedFlow load_and_validate(Services& services, const Project& project, const std::string& path,
                             const std::vector<std::pair<std::string, std::string>>& config_files = {});

struct ParameterSources {
    std::vector<std::pair<std::string, std::string>> given;   ///< -p name=value, in order
    std::string file;                                         ///< --params
    std::vector<std::pair<std::string, std::string>> config;  ///< --config name=file
    bool empty() const { return given.empty() && file.empty() && config.empty(); }
};

struct StartOptions {
    std::string flow;  ///< path; empty: flow.toml
    ParameterSources params;
    std::vector<std::string> tags;
    std::optional<std::size_t> max_workers;
    std::optional<bool> keep_going;
};

/// How driving a run ended.
struct RunOutcome {
    std::string run;
    RunState state = RunState::pending;
    bool interrupted = false;  ///< stopped by a signal before its end: can be resumed
    int signal = 0;
    std::uint64_t caught = 0;
    bool timed_out = false;
    Cause first_cause = Cause::none;
    ExitCode exit_code() const;
};

/// Validates, records and drives a run to its end (or to an interruption).
/// @throws InvalidFlow when the flow has errors
RunOutcome start_run(Services& services, const Project& project, const StartOptions& options,
                     RunObserver& observer);

/// The flow, its parameters or configuration are invalid: carries the diagnostics for rendering.
class InvalidFlow : public Error {
  public:
    InvalidFlow(Diagnostics diagnostics, std::string path, std::string source);
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
    bool retry_caught = false;
};

/// Goes on with a run, or, when flow, parameters or code differ, makes a new one that reuses what is
/// unchanged.
/// @throws Error(busy) when somebody drives it
RunOutcome resume_run(Services& services, const Project& project, const ResumeOptions& options,
                      RunObserver& observer);

/// Asks the run's driver or keeper to cancel; a run that nobody drives is cancelled in its journal (its
/// clean-up steps do not run). True when it was still open.
bool cancel_run(Services& services, const Project& project, const std::string& reference);

}  // namespace amp
