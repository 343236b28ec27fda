#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/run/drive.hpp"
#include "core/run/parameters.hpp"
#include "core/run/record_run.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/start.hpp"
#include "core/store/lease.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

/// What differs between a run's record and now; each entry is a sentence for the user.
struct Changes {
    std::vector<std::string> why;
    RunRecord record;  ///< as a new run would have it
};

std::string listed(const std::vector<CodeDifference>& differences) {
    constexpr std::size_t k_shown = 5;
    std::string out;
    for (std::size_t i = 0; i < std::min(differences.size(), k_shown); ++i) {
        out += fmt::format("{}{} {}", i == 0 ? "" : ", ", differences[i].path, differences[i].how);
    }
    return differences.size() > k_shown ? fmt::format("{} and {} more", out, differences.size() - k_shown)
                                        : out;
}

std::string changed_names(const Value& before, const Value& after) {
    std::string out;
    for (const auto& [name, value] : after.as_object()) {
        const Value* old = before.find(name);
        if (!old || !(*old == value)) {
            out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name, json::dump(value));
        }
    }
    return out;
}

/// The flow as it is now; the recorded one when its file is gone.
Flow current_flow(Services& services, const RunRecord& record, Diagnostics& diagnostics) {
    std::string text = record.flow_source;
    if (services.files.info(record.flow_path)) {
        text = services.files.read(record.flow_path, std::uint64_t{64} << 20);
    }
    Flow flow = load_flow(text, record.flow_path, diagnostics, record.overrides);
    validate(flow, diagnostics);
    return flow;
}

Changes find_changes(Services& services, OpenStore& store, const Project& project, const RunRecord& record,
                     const ResumeOptions& options) {
    Changes c;
    c.record = record;
    Diagnostics diagnostics;
    Flow flow = current_flow(services, record, diagnostics);
    if (flow.source != record.flow_source) {
        if (diagnostics.has_errors()) {
            throw InvalidFlow(std::move(diagnostics), flow.path, flow.source);
        }
        c.record.flow_source = flow.source;
        c.record.flow_name = flow.name;
        c.record.env = recorded_environment(services, flow);
        c.why.push_back(fmt::format("{} has changed", record.flow_path));
    }
    const bool flow_changed = !c.why.empty();
    if (flow_changed || !options.params.empty()) {
        const ResolvedInputs inputs = resolve_inputs(services, store, project, flow, options.params, &record);
        c.record.params = inputs.params;
        c.record.config = inputs.config;
        if (!(inputs.params == record.params)) {
            c.why.push_back("parameters have changed: " + changed_names(record.params, inputs.params));
        }
        if (!(inputs.config == record.config)) {
            c.why.push_back("configuration has changed");
        }
    }
    const CodeManifest code = scan_project(services, store, record.project_folder, false);
    if (code.hash != record.code.hash) {
        c.why.push_back("code has changed: " + listed(differences(record.code, code)));
        c.record.code = scan_project(services, store, record.project_folder, true);
        c.record.git = git_state(services.process, record.project_folder);
    }
    return c;
}

RunOutcome go_on_anew(Services& services, OpenStore& store, Changes changes, const ResumeOptions& options,
                      RunObserver& observer) {
    const std::string origin = changes.record.run;
    const bool busy = is_driven(*store.objects, *store.files, services.clock, origin, services.host) ||
                      !live_starts(store, origin).empty();
    if (busy) {
        throw Error(ExitCode::busy,
                    fmt::format("run {} is still at work, and what it runs has changed since", origin),
                    origin, fmt::format("wait for it, or end it with `amp cancel {}`", origin));
    }
    settle_interrupted(services, store, origin, observer);
    const ReadRun old = read_whole_run(store, origin);
    changes.record.origin = origin;
    changes.record.user = services.user;
    changes.record.host = services.host;
    changes.record.keep_going = options.keep_going.value_or(changes.record.keep_going);
    changes.record.max_workers = options.max_workers.value_or(changes.record.max_workers);
    const std::string run = create_recorded_run(services, store, changes.record);
    for (const std::string& why : changes.why) {
        observer.note(why);
    }
    observer.note(fmt::format("so run {} goes on from run {}, reusing what is the same", run, origin));
    DriveOptions drive;
    drive.origin = old.data.get();
    return drive_run(services, store, run, drive, observer);
}

}  // namespace

RunOutcome resume_run(Services& services, const Project& project, const ResumeOptions& options,
                      RunObserver& observer) {
    OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, options.run);
    const RunRecord record = run_record_from(read_run(*store.objects, run));
    Changes changes = find_changes(services, store, project, record, options);
    if (!changes.why.empty()) {
        return go_on_anew(services, store, std::move(changes), options, observer);
    }
    DriveOptions drive;
    drive.resumed = true;
    drive.retry_caught = options.retry_caught;
    drive.take_over = options.take_over;
    drive.max_workers = options.max_workers.value_or(0);
    return drive_run(services, store, run, drive, observer);
}

}  // namespace amp
