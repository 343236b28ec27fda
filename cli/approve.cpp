#include "cli/approve.hpp"

#include <fmt/format.h>

#include "cli/run_text.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/approve.hpp"

namespace amp {

ExitCode execute(Session& session, const ApproveCommand& command) {
    if (command.target.step.empty()) {
        throw Error(ExitCode::usage, "amp approve takes a step or a task of a run", command.target.run,
                    fmt::format("for instance amp approve {}/publish", command.target.run));
    }
    const Approved done = approve_tasks(session.services, session.project(),
                                        {command.target.run, command.target.step, command.target.index,
                                         !command.reject, to_utf8(command.comment)});
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.approve/1"},
                                    {"run", done.run},
                                    {"approved", !command.reject},
                                    {"tasks", List(done.tasks.begin(), done.tasks.end())}});
    } else if (!session.common.quiet) {
        std::vector<std::string> names;
        for (const std::string& task : done.tasks) {
            names.push_back(task_text(task));
        }
        session.out.say(fmt::format("{} {} of run {}", command.reject ? "rejected" : "approved",
                                    join(names, ", "), done.run));
    }
    return ExitCode::ok;
}

}  // namespace amp
