#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ports/process.hpp"

namespace amp {

/// What git knows or would add below `folder`, relative to it, sorted and each once; it may name files that
/// are gone, and folders (submodules, nested repositories). nullopt when this is no work tree, or git cannot
/// tell.
std::optional<std::vector<std::string>> git_files(Process& process, const std::string& folder);

/// Of these, and of what the last commit has, what is not as it has it: changed, new and deleted. nullopt as
/// above, and before the first commit.
std::optional<std::vector<std::string>> git_changes(Process& process, const std::string& folder);

}  // namespace amp
