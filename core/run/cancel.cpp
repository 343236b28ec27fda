#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/start.hpp"
#include "core/run/summary.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

/// Nobody drives it and nothing of it runs: its journal says that it was cancelled.
void cancel_in_journal(Services& services, const OpenStore& store, const std::string& run) {
    Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run,
                                 {services.host, services.pid, services.user});
    ReadRun read = read_whole_run(store, run);
    if (read.end) {
        return;
    }
    store.objects->remove(layout::summary(run));
    JournalWriter journal(*store.files, run, lease.epoch(), read.journal_end);
    const RunEvent event{.event = RunCancelled{}, .at = services.clock.now()};
    if (read.data->apply(event)) {
        const JournalEntry entry = journal_entry(event, read.flow->graph);
        journal.append(entry.type, entry.payload);
    }
    const RunEndRecord end{RunState::cancelled, false, services.clock.now()};
    const JournalEntry entry = journal_entry(end);
    journal.append(entry.type, entry.payload);
    journal.barrier();
    write_summary(*store.objects, run, summary_value(read.record, read.data->plan(), end));
    lease.release();
}

}  // namespace

bool cancel_run(Services& services, const Project& project, const std::string& reference) {
    const OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, reference);
    if (read_whole_run(store, run).end) {
        return false;
    }
    // A driver whose first task has not started yet has no keeper to ask: give it a moment.
    constexpr int k_tries = 50;
    for (int attempt = 0; attempt < k_tries; ++attempt) {
        if (services.ask_cancel(store, run, services.user)) {
            return true;
        }
        if (!is_driven(*store.objects, *store.files, services.clock, run, services.host) &&
            live_starts(store, run).empty()) {
            cancel_in_journal(services, store, run);
            return true;
        }
        services.waiter.wait(-1, 0.1);
    }
    throw Error(ExitCode::busy, fmt::format("run {} is at work, but does not answer", run), run,
                "try again, or end the `amp run` process that drives it with Ctrl-C");
}

}  // namespace amp
