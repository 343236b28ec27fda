#pragma once

#include <string>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// Where inputs come from and go to.
struct InputPlaces {
    std::string in_folder;  ///< $AMP_IN; made when it is missing
    std::string
        store_folder;  ///< of a store that is a folder, for laying objects without a copy; empty: it is none
    std::string cache_folder;  ///< for unpacked objects, shared by all tasks of this user on this node
    ObjectStore& store;
    AppendFiles& files;
};

/// Lays all inputs below $AMP_IN, read-only: files by reflink, else as a symbolic link, else as a copy;
/// folders from their manifests; values as `<path>.json`. @throws Error when one is missing, damaged, or its
/// path leads out
void lay_inputs(const std::vector<TaskInput>& inputs, const InputPlaces& places);

/// Removes unpacked objects that nobody has asked for in 30 days. Looks once a day at most; errors are
/// ignored.
void prune_cache(const std::string& cache_folder);

}  // namespace amp
