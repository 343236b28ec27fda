#include "cli/attach.hpp"

#include <fmt/format.h>

#include "cli/follow.hpp"
#include "core/run/attach.hpp"

namespace amp {

ExitCode execute(Session& session, const AttachCommand& command) {
    RunOutcome outcome;
    const NameValues none;
    const ExitCode code = follow_run(session, {command.events, none, false},
                                     [&](Services& services, const Project& project, RunObserver& observer) {
                                         outcome = attach_run(services, project, command.run, observer,
                                                              [&session] { return session.out.gone(); });
                                         return outcome;
                                     });
    if (outcome.left && !session.common.quiet) {
        session.out.say(
            fmt::format("run {} goes on: 'amp attach {}' follows it again, 'amp cancel {}' ends it",
                        outcome.run, outcome.run, outcome.run));
    }
    return outcome.left && !outcome.interrupted ? ExitCode::ok : code;
}

}  // namespace amp
