#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/package/code_manifest.hpp"

namespace amp {

/// 64 lower-case hexadecimal digits, as SHA-256 is written?
bool is_sha256(std::string_view text);

/// An entry of a manifest that is not laid into a folder, or put into an archive.
struct UnfitEntry {
    std::string path;
    std::string why;  ///< "is …", "has …": what follows the quoted path
};

/// Entries that would not lie within a folder, each in a place of its own: names that lead out or are too
/// long, twice the same, something below what is no folder; and links and hashes that can be none.
std::vector<UnfitEntry> misplaced_entries(const CodeManifest& code);

/// What to do about such.
constexpr std::string_view k_unfit_hint =
    "name what is no code in .ampignore, or in [flow] code = { exclude }; [code] max_file in amp.toml says "
    "how "
    "large a file may be";

/// These, and what an archive cannot hold or another machine cannot have: files that were not read, links
/// that lead out, entries that are not in order.
std::vector<UnfitEntry> unshippable_entries(const CodeManifest& code);

}  // namespace amp
