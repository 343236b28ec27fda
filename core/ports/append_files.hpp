#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace amp {

/// A file that one local writer appends to and anyone may read meanwhile. Holds an exclusive lock while it
/// lives.
class AppendFile {
  public:
    virtual ~AppendFile() = default;
    /// Appends all bytes (short writes and EINTR are looped over); visible to readers at once, durable after
    /// sync.
    /// @throws Error(store_full) or Error(infrastructure); what was written of `bytes` is then unspecified
    virtual void append(std::string_view bytes) = 0;
    /// fdatasync. May be called from another thread than append. @throws as append; never retried on the same
    /// file
    virtual void sync() = 0;
    /// Where the next append goes: the length in bytes.
    virtual std::uint64_t size() const = 0;
};

/// Journal, packs and keeper log are append files in the store's own folder (where the store is a directory).
/// Keys as in ObjectStore.
class AppendFiles {
  public:
    virtual ~AppendFiles() = default;
    /// Opens for appending at `keep` bytes (what lies behind is cut off, and the cut is durable) or creates
    /// the file with its folders. nullptr when another process holds its lock.
    virtual std::unique_ptr<AppendFile> open(std::string_view key, std::uint64_t keep) = 0;
    /// True while a living process holds the file's lock.
    virtual bool locked(std::string_view key) = 0;
    /// At most `length` bytes from `offset`; nullopt when there is no such file.
    virtual std::optional<std::string> read(std::string_view key, std::uint64_t offset,
                                            std::uint64_t length) = 0;
    /// Keys that begin with `prefix`, sorted.
    virtual std::vector<std::string> list(std::string_view prefix) = 0;
};

}  // namespace amp
