#include "cli/run.hpp"

#include "cli/follow.hpp"

namespace amp {

ExitCode execute(Session& session, const RunCommand& command) {
    return follow_run(session, {command.events, command.slips},
                      [&](Services& services, const Project& project, RunObserver& observer) {
                          return start_run(services, project, command.start, observer);
                      });
}

}  // namespace amp
