#pragma once

#include <optional>

#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/run_data.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"
#include "core/store/lease.hpp"

namespace amp {

/// Takes the lease of a recorded run, drives it to its end or interruption, and writes how it ended.
/// @param flow of the record, where it is loaded already
/// @throws Error(busy) when somebody else drives it
RunOutcome drive_run(Services& services, OpenStore& store, const std::string& run,
                     const DriveOptions& options, RunObserver& observer,
                     std::unique_ptr<const RecordedFlow> flow = {});

/// Journals what tasks of an interrupted run came to after their driver was gone; starts nothing. Nobody else
/// goes on with the run while the lease is kept.
/// @throws Error(busy) when somebody drives it
Lease settle_interrupted(Services& services, OpenStore& store, const std::string& run, RunObserver& observer);

/// How large code may be, by the settings of a project: [code] max_file, max_total.
CodeLimits code_limits(const Value& settings);
/// The limits by which a list of code has the files that it has, and leaves out what it does.
CodeLimits limits_of(const CodeManifest& code);
/// The code of a run of `flow`, as scan_code finds it for a project.
CodeManifest scan_project(Services& services, OpenStore& store, const std::string& folder, const Flow& flow,
                          const CodeLimits& limits, bool keep_contents);
/// "a.py changed, b.py added and 3 more"
std::string listed(const std::vector<CodeDifference>& differences);
/// The same of two manifests, and which commits an image is to hold where it is code of an image.
std::string code_changes(const CodeManifest& before, const CodeManifest& after);

}  // namespace amp
