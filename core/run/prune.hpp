#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/services.hpp"
#include "core/store/collector.hpp"

namespace amp {

struct PruneOptions {
    std::optional<double> older_than_s;    ///< remove runs that began longer ago
    std::optional<std::size_t> keep_last;  ///< remove runs but the newest so many
    std::optional<double> grace_s;         ///< of objects; default: 7 days
    bool dry_run = false;
};

/// A run that stays although it was meant, and why.
struct KeptRun {
    std::string run;
    std::string why;  ///< "it is tagged: exp-1", "it is being driven"
};

struct PruneReport {
    std::vector<std::string> removed;  ///< runs; dry run: would be
    std::vector<KeptRun> kept;
    std::vector<std::string> remains;  ///< what was left of runs that were half made or half removed
    CollectReport objects;
    std::size_t temporary = 0;  ///< half-written files older than a day
    std::size_t scratch = 0;    ///< scratch folders and sockets of dead keepers
};

/// `amp gc`: removes what nobody needs. No run goes unless `older_than_s` or `keep_last` says so (both: what
/// both mean), and never one that is tagged, driven, at work, or that a run goes on from which has not ended;
/// the runs of its sub-flows go with a run. Then objects go (collect_objects).
/// @throws Error(busy) as collect_objects
PruneReport prune_store(Services& services, const Project& project, const PruneOptions& options);

/// `amp rm`: removes runs, with those of their sub-flows. @param force also tagged ones; never one that is
/// driven or at work. @throws Error(usage) or Error(busy) before anything is removed
std::vector<std::string> remove_runs(Services& services, const Project& project,
                                     const std::vector<std::string>& references, bool force);

}  // namespace amp
