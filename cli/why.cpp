#include "cli/why.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "cli/show_differences.hpp"

namespace amp {

ExitCode execute(Session& session, const WhyCommand& command) {
    if (command.target.step.empty()) {
        throw Error(ExitCode::usage, "amp why takes a step or a task of a run", command.target.run,
                    fmt::format("for instance amp why {}/train", command.target.run));
    }
    const WhyReport report =
        why_task(session.services, session.project(),
                 {command.target.run, command.target.step, command.target.index, command.against});
    if (session.common.json) {
        session.out.document(why_document(report));
    } else {
        session.out.result(why_text(report, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
