#include "cli/rm.hpp"

#include "cli/session.hpp"
#include "core/run/prune.hpp"

namespace amp {

ExitCode execute(Session& session, const RmCommand& command) {
    const std::vector<std::string> removed =
        remove_runs(session.services, session.project(), command.runs, command.force);
    if (session.common.json) {
        session.out.document(
            Object{{"schema", "amp.rm/1"}, {"removed_runs", List(removed.begin(), removed.end())}});
        return ExitCode::ok;
    }
    for (const std::string& run : removed) {
        session.out.result(session.common.quiet ? run + "\n" : "removed run " + run + "\n");
    }
    if (!session.common.quiet) {
        session.out.say("'amp gc' removes what only they referred to, a while from now");
    }
    return ExitCode::ok;
}

}  // namespace amp
