#include "cli/artifacts.hpp"

#include "cli/session.hpp"
#include "cli/show_run.hpp"
#include "core/run/inspect.hpp"

namespace amp {

ExitCode execute(Session& session, const ArtifactsCommand& command) {
    const RunView view = view_run(session.services, session.project(), command.target.run);
    check_task(view, command.target.step, command.target.index);
    const auto artifacts = made_artifacts(view, command.target.step, command.target.index);
    if (session.common.json) {
        session.out.document(artifacts_document(view.run, artifacts));
    } else if (artifacts.empty()) {
        session.out.say("no artifacts");
    } else {
        session.out.result(artifacts_table(artifacts, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
