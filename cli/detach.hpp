#pragma once

#include <functional>
#include <string>

#include "cli/amp_main.hpp"
#include "cli/session.hpp"
#include "core/run/observer.hpp"
#include "core/run/start.hpp"

namespace amp {

/// `--detach`: `prepare` validates and records the run here; a process of its own then drives it. Prints the
/// run's id once that has taken it (or tells why it has not).
ExitCode detach_run(Session& session, const NameValues& slips,
                    const std::function<PreparedRun(Services&, const Project&, RunObserver&)>& prepare);

/// That process, `amp orchestrate`: reads what it is to drive from `request`, says by `answer` (once) what
/// became of that, and drives the run. What it tells goes to standard error, which is a file.
int orchestrate(const Surroundings& surroundings, const std::string& request, Sink err,
                const std::function<void(const std::string&)>& answer);

}  // namespace amp
