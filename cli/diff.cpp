#include "cli/diff.hpp"

#include "cli/session.hpp"
#include "cli/show_differences.hpp"

namespace amp {

ExitCode execute(Session& session, const DiffCommand& command) {
    const RunDifference difference =
        diff_runs(session.services, session.project(), command.before, command.after, command.patch);
    if (session.common.json) {
        session.out.document(diff_document(difference));
    } else if (!session.common.quiet) {
        session.out.result(diff_text(difference, session.out.presentation()));
    }
    return command.exit_code && difference.any() ? ExitCode::mismatch : ExitCode::ok;
}

}  // namespace amp
