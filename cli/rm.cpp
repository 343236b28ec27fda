#include "cli/rm.hpp"

#include <fmt/format.h>

#include "cli/ask.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/prune.hpp"

namespace amp {
namespace {

/// With their ids: `latest` may have become another run.
void ask(Session& session, const Project& project, const std::vector<std::string>& references) {
    std::vector<std::string> runs;
    for (const std::string& reference : references) {
        runs.push_back(session.resolve(project, reference));
    }
    confirm(session, runs.size() == 1 ? fmt::format("remove run {}?", runs.front())
                                      : fmt::format("remove {} runs: {}?", runs.size(), join(runs, ", ")));
}

}  // namespace

ExitCode execute(Session& session, const RmCommand& command) {
    const Project project = session.project();
    if (!command.yes && can_ask(session)) {
        ask(session, project, command.runs);
    }
    const std::vector<std::string> removed =
        remove_runs(session.services, project, command.runs, command.force);
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
