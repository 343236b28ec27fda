#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/value.hpp"
#include "core/run/services.hpp"

namespace amp {

/// The project that a command works in: found upwards from the current folder as git finds .git: the nearest
/// folder with `amp.toml` (or what `amp checkout` has laid), else with `.amp/`, else the current folder
/// itself.
struct Project {
    std::string folder;        ///< absolute
    std::string store_folder;  ///< .amp beside it, or [store] url / $AMP_STORE
    Value settings;            ///< amp.toml and its layers, merged
    std::string profile;       ///< the one that runs things; "local" when none is named
    /// Where each leaf of `settings` comes from: "profile.hpc.partition" → a file's path,
    /// "AMP__PROFILE__HPC__PARTITION", "--set".
    std::map<std::string, std::string> origins;
};

/// @param overrides --set a.b=c
/// @throws Error(invalid) with the first diagnostic's text when amp.toml is broken
Project find_project(Services& services, const std::vector<std::string>& overrides,
                     const std::string& profile = {});

/// Is this a place to take code from and to keep runs in? Not the root of all files, and no folder that
/// nobody has called a project, for a flow that lies elsewhere.
/// @param flow path of its file; empty: none
/// @throws Error(usage) with what to do
void check_place(Services& services, const Project& project, const std::string& flow);

}  // namespace amp
