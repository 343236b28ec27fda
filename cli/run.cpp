#include "cli/run.hpp"

#include "cli/detach.hpp"
#include "cli/follow.hpp"
#include "cli/plan.hpp"
#include "core/run/containers.hpp"

namespace amp {

namespace {

PlanCommand as_plan(const RunCommand& command) {
    PlanCommand plan;
    plan.query.flow = command.start.flow;
    plan.query.params = command.start.params;
    plan.query.like = command.start.like;
    plan.query.until = command.start.until;
    plan.query.only = command.start.only;
    plan.query.origin = command.start.origin;
    plan.query.fit = command.start.fit;
    plan.slips = command.slips;
    return plan;
}

Project chosen(Project project, const RunCommand& command) {
    if (command.contain_all) {
        contain_all(project.settings);
    }
    return project;
}

}  // namespace

ExitCode execute(Session& session, const RunCommand& command) {
    if (command.dry_run) {
        return execute(session, as_plan(command));
    }
    if (command.follow.detach) {
        return detach_run(
            session, command.slips, [&](Services& services, const Project& project, RunObserver& observer) {
                return prepare_start(services, chosen(project, command), command.start, observer);
            });
    }
    return follow_run(session, {command.follow.events, command.slips, command.follow.task_exit},
                      [&](Services& services, const Project& project, RunObserver& observer) {
                          return start_run(services, chosen(project, command), command.start, observer);
                      });
}

}  // namespace amp
