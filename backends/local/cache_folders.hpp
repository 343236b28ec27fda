#pragma once

#include <string>
#include <vector>

#include "core/ports/task_spec.hpp"

namespace amp {

/// Makes sure that the task finds its `cache_dirs`. They are shared by all tasks that name them, also at
/// once: what writes there must stand that, as compiler and model caches do. A relative one lies below the
/// working folder; where that is the task's own, it leads to a folder of the node with the entry's key:
/// $XDG_CACHE_HOME (or ~/.cache)/amp/folders/KEY.
/// @param scratch the task's own folder
/// @return why one cannot be made; empty: all are there
std::string make_cache_folders(const TaskSpec& spec, const std::string& scratch);

/// Where a cache folder really lies.
struct CachePlace {
    std::string path;
    std::string in_home;  ///< where the task looks for it, below its home; empty: at `path`
};
/// Of those that are no part of the working folder.
std::vector<CachePlace> outer_cache_folders(const TaskSpec& spec);

}  // namespace amp
