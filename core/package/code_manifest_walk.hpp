#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/package/glob_rules.hpp"
#include "core/ports/files.hpp"

namespace amp {

struct FoundFile {
    std::string path;  ///< relative to the project's folder
    FileInfo info;
};

struct FoundFiles {
    std::vector<FoundFile> files;   ///< regular files, links and empty folders, in no order
    bool complete = true;           ///< false: some could not be looked at, or there were too many
    std::vector<std::string> gone;  ///< asked for, and no file any more
};

/// The files and links among `paths` that `ignored` does not name.
FoundFiles look_at(Files& files, const std::string& folder, const std::vector<std::string>& paths,
                   const GlobRules& ignored);

/// All files, links and empty folders below `folder` that `ignored` does not name, without Python's virtual
/// environments and stores of amp.
/// @param limit how many names are looked at before it gives up
FoundFiles walk(Files& files, const std::string& folder, const GlobRules& ignored, std::size_t limit);

}  // namespace amp
