#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/model.hpp"
#include "core/ports/files.hpp"

namespace amp {

/// The files of a project that say what is in an environment.
struct EnvironmentFiles {
    std::string file;                          ///< the lock or requirements file, from the project's folder
    std::map<std::string, std::string> files;  ///< all, with their bytes; file names as `file`
    std::string python;                        ///< of a .python-version beside it, or in the project's folder
    bool hashes = false;                       ///< requirements have them
};

/// Of uv: uv.lock with its pyproject.toml (and uv.toml); of pip and conda: the file, and what it includes
/// with -r and -c.
/// @throws Error(not_found) when one is missing; Error(invalid) when one lies outside of the project, or asks
/// for something that lies in the project (`-e .`, a relative --find-links), which is no package
EnvironmentFiles read_environment_files(Files& files, const std::string& project,
                                        const EnvironmentSource& source);

/// The files that one of pip's or conda's includes, as they are named there. @throws as above
std::vector<std::string> included_files(std::string_view text, const std::string& path);

/// Of all that decides what is in it.
std::string environment_key(PythonEnvironment::Tool tool, const EnvironmentFiles& files);

}  // namespace amp
