#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/run/child_runs.hpp"
#include "core/run/drive.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_changes.hpp"
#include "core/run/run_index.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/start.hpp"
#include "core/run/summary.hpp"
#include "core/run/turns.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

constexpr double k_answer_s = 10;
constexpr double k_tasks_end_s = 120;

/// Nobody drives it and nothing of it runs: its journal says that it was cancelled.
void cancel_in_journal(Services& services, const OpenStore& store, const std::string& run) {
    Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run,
                                 {services.host, services.pid, services.user});
    ReadRun read = read_whole_run(store, run);
    if (read.end) {
        return;
    }
    mark_run_changed(*store.objects, run);
    store.objects->remove(layout::summary(run));
    JournalWriter journal(*store.files, run, lease.epoch(), read.journal_end);
    const RunEvent event{.event = RunCancelled{}, .at = services.clock.now()};
    RunState state = RunState::cancelled;
    if (read.data->apply(event)) {
        const JournalEntry entry = journal_entry(event, read.flow->graph);
        journal.append(entry.type, entry.payload);
    } else if (read.data->plan().ended()) {
        state = read.data->plan().state();  // all was done, but for saying so
    }
    const RunEndRecord end{state, false, services.clock.now()};
    const JournalEntry entry = journal_entry(end);
    journal.append(entry.type, entry.payload);
    journal.barrier();
    write_summary(*store.objects, run, summary_value(*read.data, end));
    lease.release();
    for (const ChildRun& child : children_of(store, run)) {
        if (child.existed) {
            cancel_in_journal(services, store, child.run);
        }
    }
}

/// As cancel_in_journal, after what its tasks came to meanwhile. False when somebody else has just begun to
/// drive it.
bool cancel_undriven(Services& services, OpenStore& store, const std::string& run) {
    try {
        RunObserver nobody;
        settle_interrupted(services, store, run, nobody);
        cancel_in_journal(services, store, run);
        return true;
    } catch (const Error& error) {
        if (error.code() != ExitCode::busy) {
            throw;
        }
        return false;
    }
}

}  // namespace

bool cancel_run(Services& services, const Project& project, const std::string& reference) {
    OpenStore store = services.open_store(project.store_folder, false);
    return cancel_run(services, store, resolve_run(*store.objects, reference), services.user);
}

bool cancel_run(Services& services, OpenStore& store, const std::string& run, const std::string& who) {
    RunChanges changes(services, store, run);
    const ReadRun read = read_whole_run(store, run);
    if (read.end) {
        return false;
    }
    const double begun = services.clock.steady_seconds();
    bool asked =
        false;  // a keeper without a driver: it ends its tasks, and the journal is then ours to write
    while (true) {
        const double left = begun + (asked ? k_tasks_end_s : k_answer_s) - services.clock.steady_seconds();
        if (is_driven(*store.objects, *store.files, services.clock, run, services.host)) {
            if (Turns(services, store, read.record->flow_name).cancel(run, who) ||
                services.ask_cancel(store, run, who)) {
                return true;
            }
        } else if (!live_starts(store, run).empty()) {
            asked = asked || services.ask_cancel(store, run, who);
        } else if ((left <= 0 || !awaits_driver(services, store, *read.record)) &&
                   cancel_undriven(services, store, run)) {
            return true;
        }
        if (left <= 0) {
            throw Error(ExitCode::busy, fmt::format("run {} is at work, but does not answer", run), run,
                        "try again, or end the `amp run` process that drives it with Ctrl-C");
        }
        changes.wait(left);
    }
}

}  // namespace amp
