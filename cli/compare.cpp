#include "cli/compare.hpp"

#include "cli/session.hpp"
#include "cli/show_differences.hpp"

namespace amp {

ExitCode execute(Session& session, const CompareCommand& command) {
    RunFilter filter = filter_of(command.filter, session.services.clock.now());
    filter.warn = [&session](const std::string& text) { session.out.say("warning: " + text); };
    const Comparison comparison =
        compare_runs(session.services, session.project(), command.runs, filter, command.system);
    if (session.common.json) {
        session.out.document(comparison_document(comparison));
    } else if (session.common.plain) {
        session.out.result(comparison_plain(comparison));
    } else if (command.csv) {
        session.out.result(comparison_csv(comparison, session.out.presentation().out_is_tty));
    } else if (comparison.runs.empty()) {
        session.out.say(no_runs_text(session, session.project(), filter));
    } else {
        session.out.result(comparison_table(comparison, command.all_columns, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
