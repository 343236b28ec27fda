#include "cli/why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "cli/session.hpp"
#include "cli/show_differences.hpp"
#include "cli/show_run.hpp"
#include "core/run/inspect.hpp"

namespace amp {
namespace {

constexpr std::size_t k_tails_told = 3;

/// Of the first failed tasks: what they printed last, and how to see more.
std::string text_with_logs(Session& session, const Project& project, const WhyReport& report) {
    const LogTail tail = make_log_tail(session.services, project);
    const Style style = session.out.out_style();
    std::optional<RunView> view;
    std::set<std::string> told;
    return why_text(report, session.out.presentation(), [&](const WhyAnswer& answer) -> std::string {
        const bool failed = answer.state == "failed" || answer.state == "caught";
        if (!failed || told.size() == k_tails_told || !told.insert(answer.task).second) {
            return "";
        }
        if (!view) {
            view = view_run(session.services, project, report.run);
        }
        const auto task = std::find_if(view->tasks.begin(), view->tasks.end(),
                                       [&](const TaskView& one) { return one.name.text() == answer.task; });
        return task == view->tasks.end() ? "" : failure_details(*view, *task, tail, style);
    });
}

}  // namespace

ExitCode execute(Session& session, const WhyCommand& command) {
    if (command.target.step.empty()) {
        throw Error(ExitCode::usage, "amp why takes a step or a task of a run", command.target.run,
                    fmt::format("for instance amp why {}/train", command.target.run));
    }
    const Project project = session.project();
    const WhyReport report =
        why_task(session.services, project,
                 {command.target.run, command.target.step, command.target.index, command.against});
    if (session.common.json) {
        session.out.document(why_document(report));
    } else {
        session.out.result(text_with_logs(session, project, report));
    }
    return ExitCode::ok;
}

}  // namespace amp
