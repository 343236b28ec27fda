#include "core/run/drive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/flow/project_config.hpp"
#include "core/package/code_scan.hpp"
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

std::uint64_t size_setting(const Value& settings, std::string_view key, std::uint64_t otherwise) {
    const Value* value = find_setting(settings, key);
    return value != nullptr && value->is_string() ? parse_size(value->as_string()).value_or(otherwise)
                                                  : otherwise;
}

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

CodeLimits code_limits(const Value& settings) {
    CodeLimits limits;
    limits.file_bytes = size_setting(settings, "code.max_file", limits.file_bytes);
    limits.total_bytes = size_setting(settings, "code.max_total", limits.total_bytes);
    return limits;
}

CodeLimits limits_of(const CodeManifest& code) {
    constexpr auto k_no_limit = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t largest = 0;            // that was read
    std::uint64_t smallest = k_no_limit;  // that was not
    for (const CodeEntry& entry : code.entries) {
        if (!entry.sha256.empty()) {
            largest = std::max(largest, entry.size_bytes);
        } else if (!entry.folder && entry.link_target.empty()) {
            smallest = std::min(smallest, entry.size_bytes);
        }
    }
    CodeLimits limits;
    limits.total_bytes = k_no_limit;  // beyond it, too, the largest are left out
    const bool by_size = largest < smallest && smallest != k_no_limit;
    limits.file_bytes = by_size ? smallest - 1 : std::max(largest, limits.file_bytes);
    return limits;
}

CodeManifest scan_project(Services& services, OpenStore& store, const std::string& folder, const Flow& flow,
                          const CodeLimits& limits, bool keep_contents) {
    Objects objects(*store.objects);
    KeepCode keep;
    if (keep_contents) {
        keep.content = [&](std::string_view content) { return objects.put(content).sha256; };
        keep.file = [&](const std::string& path) {
            const ObjectInfo stored = objects.put_file(path);
            return StoredFile{stored.sha256, stored.size_bytes};
        };
    }
    CodeSelection selection{flow.code_include, flow.code_exclude};
    selection.mode = code_mode_from(flow.code_mode).value_or(CodeMode::files);
    selection.limits = limits;
    return scan_and_keep(services.files, services.process, *store.objects, folder, selection,
                         services.clock.now(), keep);
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

Lease settle_interrupted(Services& services, OpenStore& store, const std::string& run,
                         RunObserver& observer) {
    const Lease::Identity self{services.host, services.pid, services.user};
    Lease lease = Lease::acquire(*store.objects, *store.files, services.clock, run, self);
    ReadRun read = read_whole_run(store, run);
    if (read.end) {
        return lease;
    }
    JournalWriter journal(*store.files, run, lease.epoch(), read.journal_end);
    BackendRequest request = backend_request(*read.record, lease.epoch(), 0);
    request.profiles = used_profiles(*read.record, read.flow->flow);
    const auto backend = services.make_backend(store, request);
    NoSubRuns none;
    Driver({services, store, *read.data, journal, lease, *backend, none, observer, nullptr}).adopt();
    journal.barrier();
    backend->close();
    return lease;
}

}  // namespace amp
