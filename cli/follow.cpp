#include "cli/follow.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "cli/documents.hpp"
#include "cli/impatient_waiter.hpp"
#include "cli/json_progress.hpp"
#include "cli/live_progress.hpp"
#include "cli/progress.hpp"
#include "core/base/text.hpp"
#include "core/run/failed_below.hpp"

namespace amp {
namespace {

constexpr double k_interval_s = 5;
constexpr double k_interval_in_ci_s = 30;

PlainProgress::Settings progress_settings(const Session& session, const Project& project) {
    const Environment& environment = session.services.environment;
    const auto is_on = [&](std::string_view name) {
        const auto it = environment.find(name);
        return it != environment.end() && it->second == "true";
    };
    PlainProgress::Settings settings;
    settings.quiet = session.common.quiet;
    settings.print_id = !session.common.json;
    settings.interval_s = session.out.presentation().ci ? k_interval_in_ci_s : k_interval_s;
    settings.folds = is_on("GITHUB_ACTIONS") ? PlainProgress::Folds::github
                     : is_on("GITLAB_CI")    ? PlainProgress::Folds::gitlab
                                             : PlainProgress::Folds::none;
    settings.host = session.services.host;
    settings.failed_below = [&services = session.services, folder = project.store_folder](
                                const std::string& run, const TaskName& task) -> std::string {
        try {
            return failed_below(services.open_store(folder, false), run, task);
        } catch (const Error&) {
            return "";  // a service only
        }
    };
    if (const auto heartbeat = environment.find("AMP_HEARTBEAT"); heartbeat != environment.end()) {
        const auto seconds = parse_duration(heartbeat->second);
        settings.heartbeat_s = seconds && *seconds > 0 ? *seconds : settings.heartbeat_s;
    }
    return settings;
}

/// Reads what running attempts told from the store of the run that is being driven.
LiveProgress::Told make_told(Services& services, const Project& project) {
    return
        [&services, folder = project.store_folder](
            const std::string& run,
            const std::set<AttemptKey>& attempts) -> std::map<AttemptKey, std::shared_ptr<const TaskReport>> {
            try {
                return told_so_far(services.open_store(folder, false), run, attempts);
            } catch (const Error&) {
                return {};
            }
        };
}

/// How the run is told, and for how long a wait may go on without it.
struct Teller {
    std::unique_ptr<RunObserver> observer;
    std::function<double()> patience_s;
};

Teller make_teller(Session& session, const Project& project, bool events) {
    using Progress = Presentation::Progress;
    const Presentation& presentation = session.out.presentation();
    if (events) {
        return {std::make_unique<EventLines>(session.out, session.services.clock),
                [] { return k_interval_in_ci_s; }};
    }
    std::unique_ptr<PlainProgress> plain;
    LogTail tail = make_log_tail(session.services, project);
    const bool lines = session.common.quiet || session.common.json || session.common.plain;
    if (lines || presentation.progress == Progress::lines) {
        plain = std::make_unique<PlainProgress>(session.out, session.services.clock, std::move(tail),
                                                progress_settings(session, project));
    } else {
        plain = std::make_unique<LiveProgress>(
            session.out, session.services.clock, std::move(tail), progress_settings(session, project),
            LiveProgress::View{presentation.progress == Progress::notebook, presentation.unicode},
            std::make_unique<SystemTerminal>(STDERR_FILENO, presentation.forced_width),
            make_told(session.services, project));
    }
    PlainProgress& teller = *plain;
    return {std::move(plain), [&teller] { return teller.patience_s(); }};
}

/// --exit-code=task: where a task has failed by an exit code of its own.
ExitCode code_of_task(const RunOutcome& outcome) {
    const ExitCode code = outcome.exit_code();
    return code == ExitCode::flow_failed && outcome.first_exit > 0 ? static_cast<ExitCode>(outcome.first_exit)
                                                                   : code;
}

}  // namespace

Value outcome_document(const RunOutcome& outcome) {
    const std::string_view state = !outcome.skipped_for.empty()           ? "skipped"
                                   : outcome.interrupted && !outcome.left ? "interrupted"
                                                                          : state_name(outcome.state);
    Object out{{"schema", "amp.outcome/1"},
               {"run", outcome.run.empty() ? Value() : Value(outcome.run)},
               {"state", state},
               {"caught", outcome.caught},
               {"timed_out", outcome.timed_out},
               {"exit_code", static_cast<int>(outcome.exit_code())},
               {"cause", cause_name(outcome.first_cause)},
               {"skipped_for", text_or_null(outcome.skipped_for)},
               {"signal", number_or_null(outcome.signal, 0)}};
    return out;
}

void refuse_slips(const InvalidFlow& refused, const NameValues& slips) {
    const std::vector<Diagnostic> found = refused.diagnostics().sorted();
    for (const auto& [written, option] : slips) {
        std::string parameter = written.substr(2);
        std::replace(parameter.begin(), parameter.end(), '-', '_');
        const std::string message = fmt::format("the flow has no parameter '{}'", printable(parameter));
        const bool unknown = std::any_of(found.begin(), found.end(), [&](const Diagnostic& diagnostic) {
            const bool nearer = diagnostic.hint.starts_with("did you mean");  // to a parameter
            return diagnostic.code == "AMP1514" && diagnostic.message == message && !nearer;
        });
        if (unknown) {
            throw Error(ExitCode::usage, fmt::format("unknown option '{}'", printable(written)), "",
                        fmt::format("did you mean '{}'?", option));
        }
    }
}

ExitCode tell_skipped(Session& session, const std::string& other) {
    if (session.common.json) {
        RunOutcome outcome;
        outcome.skipped_for = other;
        session.out.document(outcome_document(outcome));
    } else if (!session.common.quiet) {
        session.out.say(fmt::format("skipped: run {} of this flow is on", other));
    }
    return ExitCode::ok;
}

ExitCode follow_run(Session& session, const FollowOptions& options,
                    const std::function<RunOutcome(Services&, const Project&, RunObserver&)>& drive) {
    const Project project = session.project();
    if (session.common.json && !options.events) {
        session.out.expect(outcome_document({}));
    }
    Teller teller = make_teller(session, project, options.events);
    Services services = session.services;
    ImpatientWaiter waiter(services.waiter, teller.patience_s);
    services.waiter = waiter;
    RunOutcome outcome;
    try {
        outcome = drive(services, project, *teller.observer);
    } catch (const InvalidFlow& refused) {
        refuse_slips(refused, options.slips);
        throw;
    }
    teller.observer.reset();  // the terminal is whole again
    if (!outcome.skipped_for.empty() && !session.common.json) {
        return tell_skipped(session, outcome.skipped_for);
    }
    const ExitCode code = options.task_exit ? code_of_task(outcome) : outcome.exit_code();
    if (session.common.json && !options.events) {
        Object document = outcome_document(outcome).as_object();
        document.insert_or_assign("exit_code", static_cast<int>(code));
        session.out.document(std::move(document));
    } else if (!session.out.has_result()) {
        session.out.result(outcome.run + "\n");  // nothing was left to do: the id is the result all the same
    }
    return code;
}

}  // namespace amp
