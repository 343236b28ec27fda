#pragma once

#include <string>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"

namespace amp {

struct CheckedOut {
    std::string run;
    std::string folder;
    std::size_t files = 0;
    std::vector<std::string> missing;  ///< paths whose content the run has not kept
    std::string image_commit;  ///< where an image has the code, or all but what was laid: it holds this
};

/// Lays the code of a run, as it used it, uncommitted changes included, into a new or empty folder, and
/// beside it in .amp-run/: run.json, flow.toml as loaded, params.json (for --params; no secrets) with the
/// files that are parameters, and config/NAME.json (for --config). The folder is there whole or not at all;
/// nothing is written outside of it, whatever the manifest says.
/// @throws Error(usage) when the folder is not empty, Error(mismatch) for a manifest that leads out
CheckedOut checkout_run(Services& services, const Project& project, const std::string& reference,
                        const std::string& folder);

/// The code alone, into an empty folder. @return paths whose content was not kept
std::vector<std::string> lay_code(const OpenStore& store, const CodeManifest& code,
                                  const std::string& folder);

}  // namespace amp
