#include "cli/show.hpp"

#include "cli/session.hpp"
#include "cli/show_flow.hpp"
#include "cli/show_run.hpp"
#include "cli/target.hpp"
#include "core/base/ids.hpp"
#include "core/run/inspect.hpp"
#include "core/run/reference.hpp"

namespace amp {
namespace {

void show_flow(Session& session, const Project& project, const ShowCommand& command) {
    const LoadedFlow loaded = load_and_validate(session.services, project, command.what);
    if (loaded.diagnostics.has_errors()) {
        throw InvalidFlow(loaded.diagnostics, loaded.flow.path, loaded.flow.source);
    }
    if (command.dot) {
        session.out.result(flow_dot(loaded));
    } else if (session.common.json) {
        session.out.document(flow_document(loaded));
    } else if (session.common.plain) {
        session.out.result(flow_plain(loaded));
    } else {
        session.out.result(flow_tree(loaded, session.out.presentation()));
    }
}

/// The run, or of it only the tasks that are meant.
RunView view_target(Session& session, const Project& project, const TaskTarget& target) {
    RunView view = view_run(session.services, project, target.run);
    check_task(view, target.step, target.index);
    if (!target.step.empty()) {
        std::erase_if(view.steps, [&](const StepView& step) { return step.name != target.step; });
        std::erase_if(view.tasks, [&](const TaskView& task) {
            return task.name.step != target.step ||
                   (target.index && task.name.index.path != target.index->path);
        });
    }
    return view;
}

}  // namespace

bool names_flow(Files& files, const std::string& what) {
    if (what.ends_with(".toml") || what == "-") {
        return true;
    }
    const std::string run = what.substr(0, run_part(what));
    const bool names_run =
        run == "latest" || run.ends_with("/latest") || is_run_id(run) || run.find('@') != std::string::npos;
    if (what.empty() || names_run) {
        return false;
    }
    const std::optional<FileInfo> info = files.info(what);
    return info && info->kind != FileInfo::Kind::folder;
}

ExitCode execute(Session& session, const ShowCommand& command) {
    const Project project = session.project();
    if (command.dot || names_flow(session.services.files, command.what)) {
        show_flow(session, project, command);
        return ExitCode::ok;
    }
    const TaskTarget target = command.what.empty() ? TaskTarget() : parse_target(command.what);
    const RunView view = view_target(session, project, target);
    if (session.common.json) {
        session.out.document(run_document(view));
    } else if (session.common.plain) {
        session.out.result(run_plain(view));
    } else {
        session.out.result(
            run_report(view, session.out.presentation(), make_log_tail(session.services, project)));
    }
    return ExitCode::ok;
}

}  // namespace amp
