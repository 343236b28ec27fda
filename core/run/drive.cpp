#include "core/run/drive.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/conductor.hpp"
#include "core/run/driven_run.hpp"
#include "core/run/profiles.hpp"
#include "core/run/run_reader.hpp"
#include "core/store/lease.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

/// Of a driver that only takes over, and starts nothing.
class NoSubRuns : public SubRuns {
  public:
    void start(const TaskSpec& /*spec*/, const ChildFlow& /*child*/) override {}
    void spawn(const SpawnAsked& /*asked*/) override {}
};

}  // namespace

std::string listed(const std::vector<CodeDifference>& differences) {
    constexpr std::size_t k_shown = 5;
    std::string out;
    for (std::size_t i = 0; i < std::min(differences.size(), k_shown); ++i) {
        out += fmt::format("{}{} {}", i == 0 ? "" : ", ", differences[i].path, differences[i].how);
    }
    return differences.size() > k_shown ? fmt::format("{} and {} more", out, differences.size() - k_shown)
                                        : out;
}

std::string code_changes(const CodeManifest& before, const CodeManifest& after) {
    std::string out;
    if (before.mode != after.mode) {
        out = fmt::format("{} instead of {}", code_mode_name(after.mode), code_mode_name(before.mode));
    }
    if (before.base != after.base) {
        const auto brief = [](const std::string& commit) {
            return commit.empty() ? "none" : commit.substr(0, 12);
        };
        out +=
            fmt::format("{}commit {} → {}", out.empty() ? "" : ", ", brief(before.base), brief(after.base));
    }
    const std::string files = listed(differences(before, after));
    return out + (out.empty() || files.empty() ? "" : ", ") + files;
}

CodeManifest scan_project(Services& services, OpenStore& store, const std::string& folder, const Flow& flow,
                          bool keep_contents) {
    Objects objects(*store.objects);
    const KeepContent keep = [&](std::string_view content) { return objects.put(content).sha256; };
    CodeSelection selection{flow.code_include, flow.code_exclude};
    selection.mode = code_mode_from(flow.code_mode).value_or(CodeMode::files);
    return scan_code(services.files, services.process, *store.objects, folder, selection,
                     services.clock.now(), keep_contents ? keep : KeepContent());
}

RunOutcome drive_run(Services& services, OpenStore& store, const std::string& run,
                     const DriveOptions& options, RunObserver& observer,
                     std::unique_ptr<const RecordedFlow> flow) {
    const RunOutcome outcome = Conductor(services, store).drive(run, options, observer, std::move(flow));
    if (outcome.store_full) {
        throw Error(ExitCode::store_full, fmt::format("run {} stopped: the store is full", run), store.folder,
                    fmt::format("free some space, then `amp resume {}` goes on", run));
    }
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
    BackendRequest request = backend_request(*read.record, lease.epoch(), 0);
    request.profiles = used_profiles(*read.record, read.flow->flow);
    const auto backend = services.make_backend(store, request);
    NoSubRuns none;
    Driver({services, store, *read.data, journal, lease, *backend, none, observer, nullptr}).adopt();
    journal.barrier();
    backend->close();
}

}  // namespace amp
