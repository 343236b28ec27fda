#pragma once

#include <span>
#include <string_view>

namespace amp {

struct LinkedLibrary {
    std::string_view name;
    std::string_view version;
};

/// What this executable was made of. All of it lives as long as the program.
struct VersionFacts {
    /// Twelve digits, with "-dirty" where files had changes that were not committed; empty where git does not
    /// know.
    std::string_view commit;
    std::string_view compiler;
    /// "static" or "shared".
    std::string_view linkage;
    std::span<const LinkedLibrary> libraries;
    /// What `amp --version` prints. Its first line is `amp VERSION (COMMIT)`.
    std::string_view text;
};

/// Made at each build (cmake/version_facts.cmake), in a file of its own: a new commit compiles nothing else.
VersionFacts version_facts();

}  // namespace amp
