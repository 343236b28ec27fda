#include "cli/cancel.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/start.hpp"

namespace amp {

ExitCode execute(Session& session, const CancelCommand& command) {
    const bool was_open = cancel_run(session.services, session.project(), command.run);
    if (session.common.json) {
        session.out.document(
            Object{{"schema", "amp.cancel/1"}, {"run", command.run}, {"was_open", was_open}});
    } else if (!session.common.quiet) {
        session.out.say(was_open ? fmt::format("run {} is being cancelled", printable(command.run))
                                 : fmt::format("run {} had ended already", printable(command.run)));
    }
    return ExitCode::ok;
}

}  // namespace amp
