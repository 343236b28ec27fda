#include "cli/cancel.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "core/run/start.hpp"

namespace amp {

ExitCode execute(Session& session, const CancelCommand& command) {
    const Project project = session.project();
    const std::string run = session.resolve(project, command.run);
    const bool was_open = cancel_run(session.services, project, run);
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.cancel/1"}, {"run", run}, {"was_open", was_open}});
    } else if (!session.common.quiet) {
        session.out.say(was_open ? fmt::format("run {} is being cancelled", run)
                                 : fmt::format("run {} had ended already", run));
    }
    return ExitCode::ok;
}

}  // namespace amp
