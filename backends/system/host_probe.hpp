#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/ports/host_facts.hpp"

namespace amp {

/// Looks at this machine for `amp doctor`: makes, locks and removes a file in the store's folder (or where it
/// would be made) and a folder in that of scratch. Nothing throws: what fails is a fact.
/// @param programs to look for in PATH
HostFacts probe_host(const std::string& store_folder, const std::vector<std::string>& programs);

/// Where tasks get their scratch folders, and the variable that says so ("": the default).
std::pair<std::string, std::string> probe_scratch_folder();

// Parts, for tests.

StoreFacts probe_store(const std::string& folder);
ScratchFacts probe_scratch(const std::string& folder);
/// All that carry AMP_TOKEN in their environment, but this one.
std::vector<FoundProcess> find_task_processes();

}  // namespace amp
