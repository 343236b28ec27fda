#include "cli/logs.hpp"

#include <algorithm>

#include "cli/log_text.hpp"
#include "cli/session.hpp"
#include "core/base/json.hpp"
#include "core/run/inspect.hpp"

namespace amp {
namespace {

/// Does the command speak of exactly one task? Then its log is printed as it is.
bool is_one_task(Session& session, const Project& project, const LogsCommand& command) {
    if (command.target.index) {
        return true;
    }
    const RunView view = view_run(session.services, project, command.target.run);
    const auto chosen = [&](const TaskView& task) {
        return command.target.step.empty() || task.name.step == command.target.step;
    };
    return view.ended && std::count_if(view.tasks.begin(), view.tasks.end(), chosen) == 1;
}

}  // namespace

ExitCode execute(Session& session, const LogsCommand& command) {
    const Project project = session.project();
    LogQuery query;
    query.run = command.target.run;
    query.step = command.target.step;
    query.index = command.target.index;
    query.attempt = command.attempt;
    query.follow = command.follow;
    Output& out = session.out;
    const LogText::Choice choice{!session.common.json && !is_one_task(session, project, command),
                                 out.presentation().out_is_tty};
    LogText text(choice, [&](std::string_view part) { out.result(part); });
    read_logs(session.services, project, query, [&](const LogLine& line) {
        if (session.common.json) {
            out.result(json::dump(log_document(line)) + "\n");
        } else {
            text.add(line);
        }
        if (command.follow) {
            out.flush();
        }
        return !out.gone();
    });
    text.finish();
    return ExitCode::ok;
}

}  // namespace amp
