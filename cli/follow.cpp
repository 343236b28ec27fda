#include "cli/follow.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/impatient_waiter.hpp"
#include "cli/json_progress.hpp"
#include "cli/progress.hpp"
#include "core/base/text.hpp"
#include "core/store/packs.hpp"

namespace amp {
namespace {

constexpr double k_interval_s = 5;
constexpr double k_interval_in_ci_s = 30;
constexpr std::uint64_t k_tail_bytes = 4096;

/// Reads the last pieces of an attempt's log from the store of the run that is being driven.
LogTail make_tail(Services& services, const Project& project) {
    return [&services, folder = project.store_folder](const AttemptResult& result) -> std::string {
        try {
            const OpenStore store = services.open_store(folder, false);
            std::string tail;
            for (auto piece = result.log.rbegin(); piece != result.log.rend() && tail.size() < k_tail_bytes;
                 ++piece) {
                tail.insert(0, read_piece(*store.files, *piece));
            }
            return tail.size() > k_tail_bytes ? tail.substr(tail.size() - k_tail_bytes) : tail;
        } catch (const Error&) {
            return "";  // a service only: `amp logs` says what is wrong
        }
    };
}

std::unique_ptr<RunObserver> make_observer(Session& session, const Project& project, bool events) {
    if (events) {
        return std::make_unique<EventLines>(session.out, session.services.clock);
    }
    PlainProgress::Settings settings;
    settings.quiet = session.common.quiet;
    settings.print_id = !session.common.json;
    settings.interval_s = session.out.presentation().ci ? k_interval_in_ci_s : k_interval_s;
    return std::make_unique<PlainProgress>(session.out, session.services.clock,
                                           make_tail(session.services, project), settings);
}

}  // namespace

Value outcome_document(const RunOutcome& outcome) {
    Object out{{"schema", "amp.outcome/1"},
               {"run", outcome.run},
               {"state", outcome.interrupted ? "interrupted" : state_name(outcome.state)},
               {"caught", outcome.caught},
               {"timed_out", outcome.timed_out},
               {"exit_code", static_cast<int>(outcome.exit_code())}};
    if (outcome.first_cause != Cause::none) {
        out["cause"] = cause_name(outcome.first_cause);
    }
    if (outcome.signal != 0) {
        out["signal"] = outcome.signal;
    }
    return out;
}

ExitCode follow_run(Session& session, const FollowOptions& options,
                    const std::function<RunOutcome(Services&, const Project&, RunObserver&)>& drive) {
    const Project project = session.project();
    const std::unique_ptr<RunObserver> observer = make_observer(session, project, options.events);
    const Services& world = session.services;
    ImpatientWaiter waiter(world.waiter, session.out.presentation().ci ? k_interval_in_ci_s : k_interval_s);
    Services services{world.clock,       world.files,        world.process,    waiter,
                      world.open_store,  world.make_backend, world.ask_cancel, world.machine,
                      world.environment, world.user,         world.host,       world.pid};
    RunOutcome outcome;
    try {
        outcome = drive(services, project, *observer);
    } catch (const InvalidFlow&) {
        for (const auto& [written, option] : options.slips) {
            session.out.say(
                fmt::format("note: '{}' was taken as a parameter of the flow; the option is '{}'\n",
                            printable(written), option));
        }
        throw;
    }
    if (session.common.json && !options.events) {
        session.out.document(outcome_document(outcome));
    } else if (!session.out.has_result()) {
        session.out.result(outcome.run + "\n");  // nothing was left to do: the id is the result all the same
    }
    return outcome.exit_code();
}

}  // namespace amp
