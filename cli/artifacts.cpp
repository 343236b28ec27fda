#include "cli/artifacts.hpp"

#include "cli/runs.hpp"
#include "cli/session.hpp"
#include "cli/show_run.hpp"
#include "core/run/inspect.hpp"

namespace amp {

ExitCode execute(Session& session, const ArtifactsCommand& command) {
    const RunView view = view_run(session.services, session.project(), command.target.run);
    check_task(view, command.target.step, command.target.index);
    auto artifacts = made_artifacts(view, command.target.step, command.target.index);
    if (const auto since = parse_when("--since", command.list.since, session.services.clock.now())) {
        // What was taken over from another run came with this one.
        std::erase_if(artifacts,
                      [&](const MadeArtifact& made) { return made.at.value_or(view.created) < *since; });
    }
    if (command.list.limit > 0 && artifacts.size() > command.list.limit) {
        artifacts.resize(command.list.limit);
    }
    if (session.common.json) {
        session.out.document(artifacts_document(view.run, artifacts));
    } else if (session.common.plain) {
        session.out.result(artifacts_plain(artifacts));
    } else if (artifacts.empty()) {
        session.out.say("no artifacts");
    } else {
        session.out.result(artifacts_table(artifacts, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
