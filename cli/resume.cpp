#include "cli/resume.hpp"

#include "cli/detach.hpp"
#include "cli/follow.hpp"

namespace amp {

ExitCode execute(Session& session, const ResumeCommand& command) {
    if (command.follow.detach) {
        return detach_run(session, command.slips,
                          [&](Services& services, const Project& project, RunObserver& observer) {
                              return prepare_resume(services, project, command.resume, observer);
                          });
    }
    return follow_run(session, {command.follow.events, command.slips, command.follow.task_exit},
                      [&](Services& services, const Project& project, RunObserver& observer) {
                          return resume_run(services, project, command.resume, observer);
                      });
}

}  // namespace amp
