#include "cli/run.hpp"

#include "cli/detach.hpp"
#include "cli/follow.hpp"

namespace amp {

ExitCode execute(Session& session, const RunCommand& command) {
    if (command.follow.detach) {
        return detach_run(session, command.slips,
                          [&](Services& services, const Project& project, RunObserver& observer) {
                              return prepare_start(services, project, command.start, observer);
                          });
    }
    return follow_run(session, {command.follow.events, command.slips},
                      [&](Services& services, const Project& project, RunObserver& observer) {
                          return start_run(services, project, command.start, observer);
                      });
}

}  // namespace amp
