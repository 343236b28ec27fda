#pragma once

#include <string>
#include <vector>

#include "core/package/code_manifest.hpp"

namespace amp {

/// An entry of a manifest that is not laid into a folder, or put into an archive.
struct UnfitEntry {
    std::string path;
    std::string why;  ///< "is …", "has …": what follows the quoted path
};

/// Entries that would not lie within a folder, each in a place of its own: names that lead out or are too
/// long, twice the same, something below what is no folder.
std::vector<UnfitEntry> misplaced_entries(const CodeManifest& code);

/// These, and what an archive cannot hold or another machine cannot have: files that were not read, links
/// that lead out, entries that are not in order.
std::vector<UnfitEntry> unshippable_entries(const CodeManifest& code);

}  // namespace amp
