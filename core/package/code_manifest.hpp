#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/ports/files.hpp"
#include "core/ports/object_store.hpp"
#include "core/ports/process.hpp"

namespace amp {

/// What git says of a project.
struct GitState {
    std::string commit;  ///< 40 hex digits (64 in a SHA-256 repository); empty before the first commit
    std::string branch;  ///< empty when detached
    bool dirty =
        false;  ///< anywhere in the work tree: tracked files changed, or untracked ones that are not ignored
};
/// nullopt when the folder is in no git work tree, or git is not installed or refuses.
std::optional<GitState> git_state(Process& process, const std::string& folder);

/// Is there git, and it looks at nothing here because the folder belongs to another user (safe.directory)?
bool git_refuses(Process& process, const std::string& folder);

struct CodeEntry {
    std::string path;  ///< relative to the project folder, '/'-separated; bytes as the file system has them
    bool executable = false;
    std::string link_target;  ///< of a symbolic link; then no content
    std::uint64_t size_bytes = 0;
    std::string sha256;         ///< empty: a link, or the content was not read (then mtime_ns stands for it)
    std::int64_t mtime_ns = 0;  ///< 0 where the content was read
    bool folder = false;        ///< an empty folder: no content, no rights of its own
    bool operator==(const CodeEntry&) const = default;
};

/// Where a run has its code from: the project's files; an image, which holds it at git's commit; or an image,
/// and on top of it what is not committed. Texts: "files", "image", "image+diff".
enum class CodeMode { files, image, image_diff };
std::string_view code_mode_name(CodeMode mode);
/// nullopt when `text` is none of them.
std::optional<CodeMode> code_mode_from(std::string_view text);

/// The code that a run uses: which files, with their hashes. Sorted by the bytes of the path.
struct CodeManifest {
    std::vector<CodeEntry> entries;
    std::string hash;  ///< hash_of it; an archive of the code is known by it
    bool truncated =
        false;  ///< over the limits, or not all readable: some files are listed by size and time alone
    CodeMode mode = CodeMode::files;
    std::string base = {};                  ///< the commit that the image is to hold; empty: none, or unknown
    std::vector<std::string> deleted = {};  ///< image_diff: paths that the commit has and the project has not
    /// Paths of files that hold a pointer of git-lfs instead of their content; only told by a scan.
    std::vector<std::string> lfs_pointers = {};
};

struct CodeLimits {
    std::uint64_t file_bytes = std::uint64_t{100} << 20;
    std::uint64_t total_bytes = std::uint64_t{2} << 30;  ///< beyond it the largest files are not read
    std::size_t walked_files = 200'000;                  ///< outside git
};

/// Globs as in .ampignore: one without '/' matches at any depth, one with a '/' from the project's folder.
struct CodeSelection {
    std::vector<std::string> include;  ///< empty: all
    std::vector<std::string> exclude;  ///< wins over include
    CodeLimits limits = {};
    CodeMode mode = CodeMode::files;
};

/// Puts a file's content into the store and gives its SHA-256.
using KeepContent = std::function<std::string(std::string_view content)>;

/// Lists and hashes the project's code: in a git work tree what is tracked or untracked and not ignored
/// (`git ls-files -co --exclude-standard`), else (also when git lists nothing here) all files but Python's
/// virtual environments and stores of amp; without `.git`, `.amp`, submodules, Python's caches, and what
/// .ampignore and `exclude` name. Links are listed by their target; outside git, folders with nothing in them
/// are listed as such (git knows none: there they are no part of the code); sockets and devices are not
/// listed. Of CodeMode::image_diff only what differs from git's commit, or git does not know, is listed; of
/// CodeMode::image nothing.
///
/// Hashes are cached in `store` under cache/ by (path, size, mtime, ctime, inode), so that an unchanged
/// project of 100,000 files costs little; a file that changed within 2 seconds of the last scan is read
/// again. What was kept is remembered for 3 days, less than gc's grace, then kept again: so gc takes nothing
/// that a new run names.
///
/// Never throws for the sake of a single file: what vanishes meanwhile is left out, what cannot be read is
/// listed by size and time.
/// @param folder absolute
/// @param keep called with each content that no recent scan has kept; empty: only hashes
/// @throws Error(invalid) of CodeMode::image_diff where there is no commit to differ from
CodeManifest scan_code(Files& files, Process& process, ObjectStore& store, const std::string& folder,
                       const CodeSelection& selection, Timestamp now, const KeepContent& keep = {});

/// {entries: [{path, size_bytes, sha256, executable, link, folder, mtime_ns}], hash, truncated, from, base,
/// deleted}; what is empty is left out, and `from` of the project's files; names that are not UTF-8 as
/// `path_b64`, `link_b64`, `deleted_b64`.
Value to_value(const CodeManifest& manifest);
/// What to_value gave. @throws Error(mismatch) when it is none
CodeManifest code_manifest_from(const Value& value);
/// SHA-256 of the canonical JSON of to_value's `entries`.
std::string hash_of(const std::vector<CodeEntry>& entries);
/// The same of code that is the project's files; with an image, mode, base and deleted count, too.
std::string hash_of(const CodeManifest& manifest);
/// Of the files.
std::uint64_t total_bytes(const CodeManifest& manifest);

/// Paths that differ between two manifests, each with "added", "removed" or "changed".
struct CodeDifference {
    std::string path;
    std::string how;
    bool operator==(const CodeDifference&) const = default;
};
std::vector<CodeDifference> differences(const CodeManifest& before, const CodeManifest& after);
/// Does a glob of `sources` match a path? `*` within a part, `**` across parts, `?`, `[a-z]`; a folder's name
/// matches all in it. From the project's folder on: `*.py` is not `src/a.py`, `**/*.py` is.
bool glob_matches(std::string_view glob, std::string_view path);

}  // namespace amp
