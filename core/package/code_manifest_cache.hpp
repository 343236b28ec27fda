#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/ports/files.hpp"

namespace amp {

/// What a scan remembers of a file: how it looked, and the hash of its content.
struct CachedHash {
    std::string path;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t inode = 0;
    std::string sha256;
    Timestamp kept;  ///< when the content was last put into the store; 0: never
    bool lfs_pointer = false;
    bool operator==(const CachedHash&) const = default;
};

/// The hashes of one scan, sorted by path.
struct HashCache {
    Timestamp scanned;
    std::vector<CachedHash> hashes;
};

/// True when `info` is what was remembered and the file had not changed shortly before that scan: then a
/// later change could have left no trace in its times.
bool still_valid(const CachedHash& hash, const FileInfo& info, Timestamp scanned);

/// A compact form with a checksum.
std::string encode(const HashCache& cache);
/// nullopt when `bytes` are damaged or of another version.
std::optional<HashCache> decode_hash_cache(std::string_view bytes);

}  // namespace amp
