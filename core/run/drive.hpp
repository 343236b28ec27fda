#pragma once

#include <optional>

#include "core/run/observer.hpp"
#include "core/run/project.hpp"
#include "core/run/run_data.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"

namespace amp {

/// How a run is to be driven.
struct DriveOptions {
    bool resumed = false;  ///< it has been driven before: adopt what runs, open what failed
    bool retry_caught = false;
    bool take_over = false;  ///< also from a driver on another host whose lease has not run out
    const RunData* origin = nullptr;
    std::size_t max_workers = 0;  ///< instead of the record's; 0: the record's
};

/// Takes the lease of a recorded run, drives it to its end or interruption, and writes how it ended.
/// @throws Error(busy) when somebody else drives it
RunOutcome drive_run(Services& services, OpenStore& store, const std::string& run,
                     const DriveOptions& options, RunObserver& observer);

/// Journals what tasks of an interrupted run came to after their driver was gone; starts nothing.
/// @throws Error(busy) when somebody drives it
void settle_interrupted(Services& services, OpenStore& store, const std::string& run, RunObserver& observer);

/// The run's code, as scan_code finds it for a project.
CodeManifest scan_project(Services& services, OpenStore& store, const std::string& folder,
                          bool keep_contents);

}  // namespace amp
