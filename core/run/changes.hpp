#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/run/project.hpp"
#include "core/run/run_record.hpp"
#include "core/run/services.hpp"
#include "core/run/start.hpp"

namespace amp {

/// What differs between a run's record and now; each entry is a sentence for the user.
struct Changes {
    std::vector<std::string> why;
    RunRecord record;  ///< as a new run would have it
};

/// @param keep put files and code into the store, for a run that is about to be made
/// @throws InvalidFlow when the flow was changed and has errors
Changes find_changes(Services& services, OpenStore& store, const Project& project, const RunRecord& record,
                     const ParameterSources& params, bool keep);

/// --from and --until make a new run, as other changes do.
/// @throws Error(not_found) when the flow, as it is now, has no such step
void apply_parts(Changes& changes, const std::vector<std::string>& from,
                 const std::vector<std::string>& until);
/// What is to run again must be a part of the run. @throws Error(usage)
void check_from(const RunRecord& record, const Graph& graph);

/// --config of an earlier run, with what is given now over it.
std::vector<std::pair<std::string, std::string>> config_files_of(
    const RunRecord& record, const std::vector<std::pair<std::string, std::string>>& given);

}  // namespace amp
