#include "cli/gc.hpp"

#include <fmt/format.h>

#include "cli/ask.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/prune.hpp"

namespace amp {
namespace {

std::optional<double> duration(std::string_view option, const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    const auto seconds = parse_duration(text);
    if (!seconds || *seconds < 0) {
        throw Error(ExitCode::usage,
                    fmt::format("option '{}' takes a duration, not '{}'", option, printable(text)), "",
                    "for instance 30d, 12h or 0s");
    }
    return seconds;
}

Value amount(const CollectReport::Amount& a) {
    return Object{{"objects", a.objects}, {"size_bytes", a.bytes}};
}

Value document(const PruneReport& report, bool dry_run) {
    List kept;
    for (const KeptRun& run : report.kept) {
        kept.push_back(Object{{"run", run.run}, {"why", run.why}});
    }
    return Object{{"schema", "amp.gc/1"},
                  {"dry_run", dry_run},
                  {"removed_runs", List(report.removed.begin(), report.removed.end())},
                  {"kept_runs", std::move(kept)},
                  {"remains", List(report.remains.begin(), report.remains.end())},
                  {"removed", amount(report.objects.removed)},
                  {"waiting", amount(report.objects.waiting)},
                  {"kept", amount(report.objects.kept)},
                  {"temporary_files", static_cast<std::int64_t>(report.temporary)},
                  {"scratch_folders", static_cast<std::int64_t>(report.scratch)}};
}

std::string counted(std::uint64_t n, std::string_view word) {
    return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

std::string text(const PruneReport& report, bool dry_run, double grace_s) {
    const std::string_view verb = dry_run ? "would remove" : "removed";
    std::string out;
    for (const std::string& run : report.removed) {
        out += fmt::format("{} run {}\n", verb, run);
    }
    for (const KeptRun& run : report.kept) {
        out += fmt::format("kept run {}: {}\n", run.run, printable(run.why));
    }
    for (const std::string& run : report.remains) {
        out += fmt::format("{} what was left of run {}\n", verb, run);
    }
    const CollectReport& objects = report.objects;
    out += fmt::format("{} {} ({}); {} ({}) are in use\n", verb, counted(objects.removed.objects, "object"),
                       format_size(objects.removed.bytes), objects.kept.objects,
                       format_size(objects.kept.bytes));
    if (objects.waiting.objects > 0) {
        out += fmt::format("{} ({}) that nothing refers to can go when they have been so for {}\n",
                           counted(objects.waiting.objects, "object"), format_size(objects.waiting.bytes),
                           format_duration(grace_s));
    }
    if (report.temporary + report.scratch > 0) {
        out += fmt::format("{} {} and {}\n", verb, counted(report.temporary, "half-written file"),
                           counted(report.scratch, "orphaned scratch folder"));
    }
    return out;
}

/// Before runs go for good.
void ask(Session& session, const Project& project, PruneOptions options) {
    options.dry_run = true;
    const std::size_t runs = prune_store(session.services, project, options).removed.size();
    if (runs > 0) {
        confirm(session, fmt::format("remove {}?", counted(runs, "run")));
    }
}

}  // namespace

ExitCode execute(Session& session, const GcCommand& command) {
    const Project project = session.project();
    PruneOptions options;
    options.older_than_s = duration("--older-than", command.older_than);
    options.keep_last = command.keep_last;
    options.grace_s = duration("--grace", command.grace);
    options.dry_run = command.dry_run;
    if (options.grace_s && *options.grace_s < CollectOptions::k_least_grace_s && !command.dry_run) {
        session.out.say("warning: with a grace below 24 hours nobody else may work in this store meanwhile");
    }
    const bool runs_go = options.older_than_s || options.keep_last;
    if (runs_go && !command.dry_run && !command.yes && can_ask(session)) {
        ask(session, project, options);
    }
    const PruneReport report = prune_store(session.services, project, options);
    if (session.common.json) {
        session.out.document(document(report, command.dry_run));
    } else if (!session.common.quiet) {
        session.out.result(
            text(report, command.dry_run, options.grace_s.value_or(CollectOptions::k_default_grace_s)));
    }
    return ExitCode::ok;
}

}  // namespace amp
