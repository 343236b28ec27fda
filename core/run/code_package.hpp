#pragma once

#include <string>
#include <vector>

#include "core/package/archive.hpp"
#include "core/package/code_manifest.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

/// Of what code is asked for.
struct PackageQuery {
    std::string flow;  ///< a flow's file; empty: the project's flow.toml
    std::string run;   ///< instead: a run's recorded code
};

/// The code that is shipped with a flow's tasks, or was with a run's.
struct CodePackage {
    std::string flow;  ///< its name
    std::string run;   ///< empty: what a run that began now would have
    std::string project_folder;
    CodeManifest code;
    std::vector<std::string> notes;  ///< what a person should know of it
};

/// @throws InvalidFlow, Error(not_found)
CodePackage find_package(Services& services, const Project& project, const PackageQuery& query);

/// Writes it as an archive: contents of now come from the project's folder, of a run from the store.
/// @throws as write_archive, Error(not_found) when the store has not kept a content
void write_package(Services& services, const Project& project, const CodePackage& package,
                   const TakeBytes& out);

/// The same to a file, which is there whole or not at all. @return its size
/// @throws Error(usage) when something has that name already
std::uint64_t save_package(Services& services, const Project& project, const CodePackage& package,
                           const std::string& file);

}  // namespace amp
