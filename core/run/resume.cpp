#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/run/changes.hpp"
#include "core/run/containers.hpp"
#include "core/run/drive.hpp"
#include "core/run/environments.hpp"
#include "core/run/given.hpp"
#include "core/run/record_run.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/start.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

void check_idle(Services& services, const OpenStore& store, const std::string& origin) {
    if (is_driven(*store.objects, *store.files, services.clock, origin, services.host) ||
        !live_starts(store, origin).empty()) {
        throw Error(
            ExitCode::busy,
            fmt::format("run {} is still at work, and what is asked for now would be another run", origin),
            origin, fmt::format("wait for it, or end it with `amp cancel {}`", origin));
    }
}

bool asks_the_same(const RunRecord& a, const RunRecord& b) {
    return a.flow_source == b.flow_source && a.params == b.params && a.config == b.config &&
           a.code.hash == b.code.hash && a.until == b.until && a.only == b.only && a.from == b.from;
}

/// Of several that ask for the same at once, one goes on: each looks while it holds the lease of the origin,
/// and whoever came before has its run recorded by then, though perhaps not driven yet.
void check_not_begun(Services& services, const OpenStore& store, const RunRecord& record) {
    const RunIndex index(*store.objects);
    const std::vector<std::string> runs = list_runs(*store.objects);
    for (auto id = runs.rbegin(); id != runs.rend() && *id > record.origin; ++id) {
        if (index.find(*id)) {  // it has ended
            continue;
        }
        const RunRecord other = run_record_from(read_run(*store.objects, *id));
        if (other.origin != record.origin || !asks_the_same(other, record)) {
            continue;
        }
        if (awaits_driver(services, store, other) ||
            is_driven(*store.objects, *store.files, services.clock, *id, services.host)) {
            throw Error(ExitCode::busy, fmt::format("run {} goes on from run {} already", *id, record.origin),
                        *id, fmt::format("follow it with `amp attach {}`", *id));
        }
    }
}

/// What an environment is made from stays what it was, unless it is asked for.
void apply_lock(Services& services, bool relock, Changes& changes, RunObserver& observer) {
    const std::vector<std::string> changed = changed_environments(services, changes.record);
    if (changed.empty()) {
        return;
    }
    const std::string files = printable(join(changed, ", "));
    if (relock) {
        unlock_environments(services, changes.record);
        changes.why.push_back("environment has changed: " + files);
    } else {
        observer.note(
            fmt::format("{} differ{} from what run {} was started with, and its tasks keep that; "
                        "--relock takes what is there now",
                        files, changed.size() == 1 ? "s" : "", changes.record.run));
    }
}

PreparedRun prepare_anew(Services& services, OpenStore& store, const Project& project, Changes changes,
                         const ResumeOptions& options, RunObserver& observer) {
    RunRecord& record = changes.record;
    const std::string origin = record.run;
    check_idle(services, store, origin);
    const Lease held = settle_interrupted(services, store, origin, observer);
    record.origin = origin;
    record.user = services.user;
    record.host = services.host;
    record.keep_going = options.keep_going.value_or(record.keep_going);
    record.max_workers = options.max_workers.value_or(record.max_workers);
    record.concurrency = options.concurrency.value_or(record.concurrency);
    PreparedRun prepared;
    prepared.flow = load_recorded_flow(record);
    check_from(record, prepared.flow->graph);
    record_containers(services, project.settings, prepared.flow->flow, {}, record, true,
                      [&observer](const std::string& text) { observer.note(text); });
    record_environments(services, &store, prepared.flow->flow, {}, record,
                        [&observer](const std::string& text) { observer.note(text); });
    const ReadRun old = read_whole_run(store, origin);
    check_given(RunData(record, prepared.flow->flow, prepared.flow->graph), *old.data);
    check_not_begun(services, store, record);
    record.run.clear();
    prepared.run = create_recorded_run(services, store, record);
    for (const std::string& why : changes.why) {
        observer.note(why);
    }
    observer.note(
        fmt::format("so run {} goes on from run {}, reusing what is the same", prepared.run, origin));
    prepared.drive.no_cache = options.no_cache;
    prepared.drive.hold_s = options.hold_s;
    return prepared;
}

}  // namespace

PreparedRun prepare_resume(Services& services, const Project& project, const ResumeOptions& options,
                           RunObserver& observer) {
    OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, options.run);
    const RunRecord record = run_record_from(read_run(*store.objects, run));
    Changes changes = find_changes(services, store, project, record, options.params, true);
    apply_parts(changes, options.from, options.until);
    apply_lock(services, options.relock, changes, observer);
    if (!changes.why.empty()) {
        return prepare_anew(services, store, project, std::move(changes), options, observer);
    }
    check_engine(services, record);  // or it would be each task that lacks one
    PreparedRun prepared;
    prepared.run = run;
    prepared.drive.resumed = true;
    prepared.drive.no_cache = options.no_cache;
    prepared.drive.hold_s = options.hold_s;
    prepared.drive.retry_caught = options.retry_caught;
    prepared.drive.take_over = options.take_over;
    prepared.drive.max_workers = options.max_workers.value_or(0);
    prepared.drive.concurrency = options.concurrency.value_or("");
    return prepared;
}

RunOutcome drive_prepared(Services& services, OpenStore& store, PreparedRun prepared, RunObserver& observer) {
    if (prepared.run.empty()) {
        RunOutcome outcome;
        outcome.skipped_for = prepared.skipped_for;
        return outcome;
    }
    return drive_run(services, store, prepared.run, prepared.drive, observer, std::move(prepared.flow));
}

RunOutcome resume_run(Services& services, const Project& project, const ResumeOptions& options,
                      RunObserver& observer) {
    PreparedRun prepared = prepare_resume(services, project, options, observer);
    OpenStore store = services.open_store(project.store_folder, false);
    return drive_prepared(services, store, std::move(prepared), observer);
}

}  // namespace amp
