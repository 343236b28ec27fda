#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/value.hpp"
#include "core/ports/files.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/process.hpp"

namespace amp {

/// What git says of a project.
struct GitState {
    std::string commit;  ///< 40 hex digits
    std::string branch;  ///< empty when detached
    bool dirty = false;  ///< tracked files changed, or untracked ones that are not ignored
};
/// nullopt when the folder is in no git work tree, or git is not installed.
std::optional<GitState> git_state(Process& process, const std::string& folder);

struct CodeEntry {
    std::string path;  ///< relative to the project folder, '/'-separated
    bool executable = false;
    std::string link_target;  ///< of a symbolic link; then no content
    std::uint64_t size_bytes = 0;
    std::string sha256;
    bool operator==(const CodeEntry&) const = default;
};

/// The code that a run uses: which files, with their hashes. Sorted by path.
struct CodeManifest {
    std::vector<CodeEntry> entries;
    std::string hash;  ///< SHA-256 of the canonical JSON of the entries
    bool truncated = false;  ///< the project is over the limits: larger files are listed by size and time alone
};

struct CodeSelection {
    std::vector<std::string> include;  ///< globs; empty: all
    std::vector<std::string> exclude;
};

/// Lists and hashes the project's code: in a git work tree what is tracked or untracked and not ignored (`git ls-files -co --exclude-standard`),
/// else all files; without `.git`, `.amp` and what .ampignore and `exclude` name. Hashes are cached by (path, size, mtime, ctime, inode)
/// in `cache`, so that an unchanged project of 100,000 files costs little.
/// @param store where new contents are put as objects, when `keep_objects`
CodeManifest scan_code(Files& files, Process& process, ObjectStore& store, const std::string& folder, const CodeSelection& selection,
                       bool keep_objects);

Value to_value(const CodeManifest& manifest);
CodeManifest code_manifest_from(const Value& value);

/// Paths that differ between two manifests, each with "added", "removed" or "changed".
struct CodeDifference {
    std::string path;
    std::string how;
};
std::vector<CodeDifference> differences(const CodeManifest& before, const CodeManifest& after);
/// Does a glob of `sources` match a path? `*` within a part, `**` across parts, `?`, `[a-z]`; a folder's name matches all in it.
bool glob_matches(std::string_view glob, std::string_view path);

}  // namespace amp
