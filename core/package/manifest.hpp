#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// One thing in a folder artifact.
struct ManifestEntry {
    enum class Kind { file, folder, link };
    Kind kind = Kind::file;  ///< folder: only empty ones are listed
    std::string path;        ///< relative, '/'-separated
    bool executable = false;
    std::string link_target;
    std::uint64_t size_bytes = 0;
    std::string sha256;
    bool operator==(const ManifestEntry&) const = default;
};

/// A folder as an artifact: identified by the SHA-256 of its canonical JSON, its files by theirs.
struct Manifest {
    std::vector<ManifestEntry> entries;  ///< sorted by path
    std::uint64_t total_bytes() const;
};

/// Stores a file's content. @return its hash and size
struct StoredFile {
    std::string sha256;
    std::uint64_t size_bytes = 0;
};
using StoreFile = std::function<StoredFile(const std::string& path)>;

/// Whether a link to `target` is to be stored as the file that it shows.
using FollowLink = std::function<bool(std::string_view target)>;

/// Lists a folder and stores its files.
/// @throws Error(invalid) for other links that lead out of it, devices, sockets, pipes, and names that are
/// not UTF-8
Manifest scan_folder(const std::string& folder, const StoreFile& store, const FollowLink& follow = {});

/// Canonical JSON.
std::string manifest_text(const Manifest& manifest);
/// @throws Error(mismatch) when it is none, or an entry would lie outside the folder
Manifest manifest_from(std::string_view text);

/// Relative, without empty, "." and ".." parts.
bool is_inner_path(std::string_view path);
/// A link at `path` whose target stays within the folder, however its parts are linked: ".." only at its
/// beginning.
bool is_inner_link(std::string_view path, std::string_view target);

}  // namespace amp
