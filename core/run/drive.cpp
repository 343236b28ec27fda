#include "core/run/drive.hpp"

#include <fmt/format.h>

#include "core/run/driver.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/summary.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

void write_end(Services& services, OpenStore& store, const ReadRun& run, JournalWriter& journal,
               RunState state) {
    RunEndRecord end{state, false, services.clock.now()};
    const CodeManifest now = scan_project(services, store, run.record.project_folder, false);
    end.code_changed = !run.record.code.hash.empty() && now.hash != run.record.code.hash;
    const JournalEntry entry = journal_entry(end);
    journal.append(entry.type, entry.payload);
    journal.barrier();
    write_summary(*store.objects, run.record.run, summary_value(run.record, run.data->plan(), end));
}

BackendRequest backend_request(const ReadRun& run, std::uint32_t epoch, const DriveOptions& options) {
    BackendRequest request;
    request.run = run.record.run;
    request.epoch = epoch;
    request.project_folder = run.record.project_folder;
    request.workers = options.max_workers > 0 ? options.max_workers : run.record.max_workers;
    return request;
}

}  // namespace

CodeManifest scan_project(Services& services, OpenStore& store, const std::string& folder,
                          bool keep_contents) {
    Objects objects(*store.objects);
    const KeepContent keep = [&](std::string_view content) { return objects.put(content).sha256; };
    return scan_code(services.files, services.process, *store.objects, folder, {}, services.clock.now(),
                     keep_contents ? keep : KeepContent());
}

RunOutcome drive_run(Services& services, OpenStore& store, const std::string& run,
                     const DriveOptions& options, RunObserver& observer) {
    const Lease::Identity self{services.host, services.pid, services.user};
    Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run, self, options.take_over);
    ReadRun read = read_whole_run(store, run);
    if (read.end && read.end->state == RunState::succeeded) {
        RunOutcome outcome;
        outcome.run = run;
        outcome.state = RunState::succeeded;
        outcome.caught = read.data->plan().totals()[static_cast<std::size_t>(TaskState::caught)];
        if (!options.retry_caught || outcome.caught == 0) {
            observer.note(fmt::format("run {} has already succeeded", run));
            lease.release();
            return outcome;
        }
    }
    store.objects->remove(layout::summary(run));
    JournalWriter journal(*store.files, run, lease.epoch(), read.journal_end);
    const auto backend = services.make_backend(store, backend_request(read, lease.epoch(), options));
    Driver driver({services, store, *read.data, journal, lease, *backend, observer, options.origin});
    observer.run_started(run, options.resumed);
    if (options.resumed) {
        driver.adopt();
        driver.reopen(options.retry_caught);
    }
    const RunOutcome outcome = driver.drive();
    if (!outcome.interrupted) {
        write_end(services, store, read, journal, outcome.state);
    }
    journal.barrier();
    backend->close();
    lease.release();
    observer.run_ended(outcome.state, outcome.interrupted);
    return outcome;
}

void settle_interrupted(Services& services, OpenStore& store, const std::string& run, RunObserver& observer) {
    const Lease::Identity self{services.host, services.pid, services.user};
    Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run, self);
    ReadRun read = read_whole_run(store, run);
    if (read.end) {
        return;
    }
    JournalWriter journal(*store.files, run, lease.epoch(), read.journal_end);
    const auto backend = services.make_backend(store, backend_request(read, lease.epoch(), {}));
    Driver({services, store, *read.data, journal, lease, *backend, observer, nullptr}).adopt();
    journal.barrier();
    backend->close();
}

}  // namespace amp
