#include "cli/show.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "cli/show_flow.hpp"
#include "cli/show_run.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"

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
    } else {
        session.out.result(flow_tree(loaded, session.out.presentation()));
    }
}

}  // namespace

bool names_flow(Files& files, const std::string& what) {
    if (what.ends_with(".toml")) {
        return true;
    }
    if (what.empty()) {
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
    if (command.what.find('/') != std::string::npos) {
        const std::string run = printable(command.what.substr(0, command.what.find('/')));
        throw Error(
            ExitCode::usage,
            fmt::format("'{}' is neither the file of a flow nor a run", printable(command.what)), "",
            fmt::format("`amp show {}` tells of all tasks of that run, `amp logs {}` what one printed", run,
                        printable(command.what)));
    }
    const RunView view = view_run(session.services, project, command.what.empty() ? "latest" : command.what);
    if (session.common.json) {
        session.out.document(run_document(view));
    } else {
        session.out.result(run_report(view, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
