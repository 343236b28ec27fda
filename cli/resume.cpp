#include "cli/resume.hpp"

#include "cli/follow.hpp"

namespace amp {

ExitCode execute(Session& session, const ResumeCommand& command) {
    return follow_run(session, {command.events, command.slips},
                      [&](Services& services, const Project& project, RunObserver& observer) {
                          return resume_run(services, project, command.resume, observer);
                      });
}

}  // namespace amp
