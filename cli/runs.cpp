#include "cli/runs.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "cli/show_run.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"

namespace amp {

std::optional<Timestamp> parse_when(std::string_view option, const std::string& text, Timestamp now) {
    if (text.empty()) {
        return std::nullopt;
    }
    if (const auto time = parse_time(text)) {
        return time;
    }
    if (const auto ago = parse_duration(text)) {
        return now.plus_seconds(-*ago);
    }
    throw Error(ExitCode::usage, fmt::format("option '{}' takes a time, not '{}'", option, printable(text)),
                "", "a date (2026-11-20), a time (2026-11-20T08:15:30Z), or how long ago (90m, 2d)");
}

ExitCode execute(Session& session, const RunsCommand& command) {
    const Timestamp now = session.services.clock.now();
    RunFilter filter;
    filter.flow = command.flow;
    filter.tag = command.tag;
    filter.state = command.state;
    filter.since = parse_when("--since", command.since, now);
    filter.until = parse_when("--until", command.until, now);
    filter.where = command.where;
    filter.sort = command.sort;
    filter.limit = command.limit;
    const Project project = session.project();
    const bool no_store = !session.services.files.info(project.store_folder + "/store.json");
    const std::vector<RunSummary> runs =
        no_store ? std::vector<RunSummary>() : list_run_summaries(session.services, project, filter);
    if (session.common.json) {
        session.out.document(runs_document(runs));
    } else if (session.common.quiet) {
        for (const RunSummary& run : runs) {
            session.out.result(run.run + "\n");
        }
    } else if (runs.empty()) {
        session.out.say("no runs");
    } else {
        session.out.result(runs_table(runs, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
