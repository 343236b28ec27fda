#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/package/code_manifest.hpp"

namespace amp {

/// A file, or a folder with all that is in it.
struct HeavyPart {
    std::string path;  ///< a folder's ends in '/'
    std::uint64_t size_bytes = 0;
    std::size_t files = 0;
    bool operator==(const HeavyPart&) const = default;
};

/// Where the weight of the code is, the heaviest first: what holds at least a twentieth of it. A folder that
/// has nearly all from one part of it gives way to that part.
std::vector<HeavyPart> heavy_parts(const CodeManifest& code, std::size_t most);

constexpr std::uint64_t k_heavy_code_bytes = 100'000'000;
constexpr std::uint64_t k_heavy_file_bytes = 50'000'000;

/// What a person should know before code is shipped: pointers of git-lfs that stand for contents, and a
/// weight that is rather data's than code's. From the manifest alone.
std::vector<std::string> code_notes(const CodeManifest& code);

}  // namespace amp
