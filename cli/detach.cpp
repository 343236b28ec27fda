#include "cli/detach.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/documents.hpp"
#include "cli/follow.hpp"
#include "cli/impatient_waiter.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_interval_s = 30;  // between two lines of its log that say how far it is

// What goes to the orchestrator: {store, run, drive, secrets}; secrets go by its standard input alone.

Value request_value(const Services& services, const OpenStore& store, const PreparedRun& prepared) {
    std::vector<Secret> secrets;
    for (const auto& [key, secret] : services.secrets) {
        secrets.push_back(secret);
    }
    const DriveOptions& drive = prepared.drive;
    return Object{{"store", store.folder},
                  {"run", prepared.run},
                  {"drive", Object{{"resumed", drive.resumed},
                                   {"retry_caught", drive.retry_caught},
                                   {"take_over", drive.take_over},
                                   {"no_cache", drive.no_cache},
                                   {"max_workers", static_cast<std::int64_t>(drive.max_workers)},
                                   {"concurrency", drive.concurrency},
                                   {"hold_s", drive.hold_s}}},
                  {"secrets", to_value(secrets)}};
}

PreparedRun prepared_from(const Value& request) {
    PreparedRun prepared;
    prepared.run = get_string(request, "run");
    const Value drive(get_object(request, "drive"));
    prepared.drive.resumed = get_bool(drive, "resumed");
    prepared.drive.retry_caught = get_bool(drive, "retry_caught");
    prepared.drive.take_over = get_bool(drive, "take_over");
    prepared.drive.no_cache = get_bool(drive, "no_cache");
    prepared.drive.max_workers = static_cast<std::size_t>(get_int(drive, "max_workers"));
    prepared.drive.concurrency = get_string(drive, "concurrency");
    prepared.drive.hold_s = get_float(drive, "hold_s");
    return prepared;
}

void take_secrets(Services& services, const Value& request) {
    for (Secret& secret : to_secrets(Value(get_list(request, "secrets")))) {
        const std::string key = secret.key;
        services.secrets.emplace(key, std::move(secret));
    }
}

/// Writes the log, and answers as soon as the run is taken.
class Announcing : public PlainProgress {
  public:
    Announcing(Output& out, Clock& clock, std::function<void(Object)> answer)
        : PlainProgress(out, clock, {}, {false, false, k_interval_s}), answer_(std::move(answer)) {}

    void note(const std::string& text) override {
        PlainProgress::note(text);
        if (!answered_) {
            notes_.emplace_back(text);
        }
    }
    void run_waits(const std::string& run, const std::string& behind) override {
        PlainProgress::run_waits(run, behind);
        answer(Object{{"state", "pending"}, {"behind", behind}});
    }
    void run_started(const std::string& run, bool resumed) override {
        PlainProgress::run_started(run, resumed);
        answer(Object{{"state", "running"}});
    }
    /// The first one counts.
    void answer(Object what) {
        if (!std::exchange(answered_, true)) {
            what["notes"] = std::move(notes_);
            answer_(std::move(what));
        }
    }
    bool answered() const { return answered_; }

  private:
    std::function<void(Object)> answer_;
    List notes_;
    bool answered_ = false;
};

Object error_value(const std::exception& thrown) {
    const Error error = as_error(thrown);
    Object told;
    told["code"] = static_cast<int>(error.code());
    told["message"] = to_utf8(error.message());
    told["where"] = to_utf8(error.where());
    told["hint"] = to_utf8(error.hint());
    Object out;
    out["error"] = std::move(told);
    return out;
}

ExitCode drive_here(const Services& world, const Value& request, Announcing& announcing) {
    Services services = world;
    ImpatientWaiter waiter(services.waiter, k_interval_s);
    services.waiter = waiter;
    take_secrets(services, request);
    OpenStore store = services.open_store(get_string(request, "store"), false);
    const RunOutcome outcome = drive_prepared(services, store, prepared_from(request), announcing);
    announcing.answer(Object{{"state", outcome.interrupted ? "interrupted" : state_name(outcome.state)},
                             {"skipped_for", outcome.skipped_for},
                             {"exit_code", static_cast<int>(outcome.exit_code())}});
    return outcome.exit_code();
}

[[noreturn]] void fail_as_told(const Value& error) {
    throw Error(static_cast<ExitCode>(get_int(error, "code")), get_string(error, "message"),
                get_string(error, "where"), get_string(error, "hint"));
}

/// @param exit_code below 0: it goes on
Value detached_document(const std::string& run, const std::string& state, const std::string& log,
                        int exit_code) {
    return Object{{"schema", "amp.detached/1"},
                  {"run", run},
                  {"state", state},
                  {"log", log},
                  {"exit_code", number_or_null(exit_code, -1)}};
}

ExitCode tell_detached(Session& session, const std::string& run, const Value& answer,
                       const std::string& log) {
    const std::string state = get_string(answer, "state");
    const ExitCode code = static_cast<ExitCode>(get_int(answer, "exit_code"));
    const bool goes_on = answer.find("exit_code") == nullptr;
    if (session.common.json) {
        session.out.document(detached_document(run, state, log, goes_on ? -1 : static_cast<int>(code)));
    } else {
        session.out.result(run + "\n");
    }
    if (!session.common.quiet && goes_on) {
        const std::string behind = get_string(answer, "behind");
        session.out.say(fmt::format(
            "run {} {}: 'amp attach {}' follows it, 'amp cancel {}' ends it", run,
            behind.empty() ? "goes on by itself" : "waits by itself until run " + behind + " has ended", run,
            run));
    }
    return code;
}

}  // namespace

ExitCode detach_run(Session& session, const NameValues& slips,
                    const std::function<PreparedRun(Services&, const Project&, RunObserver&)>& prepare) {
    const Project project = session.project();
    session.out.expect(detached_document({}, {}, {}, -1));
    Services& services = session.services;
    PlainProgress observer(session.out, services.clock, {}, {session.common.quiet, false, k_interval_s});
    PreparedRun prepared;
    try {
        prepared = prepare(services, project, observer);
    } catch (const InvalidFlow& refused) {
        refuse_slips(refused, slips);
        throw;
    }
    if (prepared.run.empty()) {
        return tell_skipped(session, prepared.skipped_for);
    }
    const OpenStore store = services.open_store(project.store_folder, false);
    const std::string log = store.folder + "/" + layout::orchestrator_log(prepared.run);
    const std::string text =
        services.start_apart({"orchestrate"}, json::dump(request_value(services, store, prepared)), log);
    if (text.empty()) {
        throw Error(ExitCode::infrastructure,
                    fmt::format("the orchestrator of run {} died before it began", prepared.run), log,
                    fmt::format("`amp resume {}` tries again", prepared.run));
    }
    const Value answer = json::parse(text, "the orchestrator's answer");
    for (const Value& note : get_list(answer, "notes")) {
        observer.note(note.as_string());
    }
    if (const Value* error = answer.find("error")) {
        fail_as_told(*error);
    }
    if (const std::string other = get_string(answer, "skipped_for"); !other.empty()) {
        return tell_skipped(session, other);
    }
    return tell_detached(session, prepared.run, answer, log);
}

int orchestrate(const Surroundings& surroundings, const std::string& request, Sink err,
                const std::function<void(const std::string&)>& answer) {
    Output out([](std::string_view) { return 0; }, std::move(err), {});
    const auto send = [&](Object what) { answer(json::dump(std::move(what))); };
    std::unique_ptr<Announcing> announcing;
    try {
        const ExitCode code = surroundings.with_services(true, [&](Services& services) {
            announcing = std::make_unique<Announcing>(out, services.clock, send);
            return drive_here(services, json::parse(request, "the request"), *announcing);
        });
        return static_cast<int>(code);
    } catch (const std::exception& thrown) {
        if (!announcing) {
            send(error_value(thrown));
        } else {
            announcing->answer(error_value(thrown));
        }
        return static_cast<int>(report(out, thrown, false));
    }
}

}  // namespace amp
