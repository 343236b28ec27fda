#include "cli/runs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/session.hpp"
#include "cli/show_run.hpp"
#include "core/base/near.hpp"
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

RunFilter filter_of(const RunsCommand& command, Timestamp now) {
    RunFilter filter;
    filter.flow = command.flow;
    filter.tag = command.tag;
    filter.state = command.state;
    filter.since = parse_when("--since", command.since, now);
    filter.until = parse_when("--until", command.until, now);
    filter.where = command.where;
    filter.sort = command.sort;
    filter.limit = command.limit;
    filter.all = command.all;
    return filter;
}

std::string no_runs_text(Session& session, const Project& project, const RunFilter& filter) {
    std::vector<std::string> flows;
    std::vector<std::string> tags;
    const bool named = !filter.flow.empty() || !filter.tag.empty();
    if (named && session.services.files.info(project.store_folder + "/store.json")) {
        RunFilter every;
        every.all = true;
        for (const RunSummary& run : list_run_summaries(session.services, project, every)) {
            flows.push_back(run.flow);
            tags.insert(tags.end(), run.tags.begin(), run.tags.end());
        }
    }
    const auto missing = [](std::string_view what, const std::string& name,
                            const std::vector<std::string>& names) {
        const bool known = name.empty() || std::find(names.begin(), names.end(), name) != names.end();
        const std::string hint = near_hint(name, names);
        return known ? ""
                     : fmt::format("; none is {} '{}'{}{}", what, printable(name), hint.empty() ? "" : ": ",
                                   hint);
    };
    return "no runs" + missing("of the flow", filter.flow, flows) + missing("tagged", filter.tag, tags);
}

ExitCode execute(Session& session, const RunsCommand& command) {
    RunFilter filter = filter_of(command, session.services.clock.now());
    filter.warn = [&session](const std::string& text) { session.out.say("warning: " + text); };
    const Project project = session.project();
    const bool no_store = !session.services.files.info(project.store_folder + "/store.json");
    const std::vector<RunSummary> runs =
        no_store ? std::vector<RunSummary>() : list_run_summaries(session.services, project, filter);
    if (session.common.json) {
        session.out.document(runs_document(runs));
    } else if (session.common.plain) {
        session.out.result(runs_plain(runs));
    } else if (session.common.quiet) {
        for (const RunSummary& run : runs) {
            session.out.result(run.run + "\n");
        }
    } else if (runs.empty()) {
        session.out.say(no_runs_text(session, project, filter));
    } else {
        session.out.result(runs_table(runs, session.out.presentation()));
    }
    return ExitCode::ok;
}

}  // namespace amp
