#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/watch.hpp"

namespace amp {

/// Which room an append may take: what every write has, or also the reserve that is kept for the records that
/// tell how a run ended.
enum class Room { ordinary, reserved };

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
    /// Opens for appending at `keep` bytes (what lies behind is cut off, and the cut is durable; UINT64_MAX:
    /// at its end) or creates the file with its folders. nullptr when another process holds its lock.
    virtual std::unique_ptr<AppendFile> open(std::string_view key, std::uint64_t keep,
                                             Room room = Room::ordinary) = 0;
    /// Makes durable what lies in a file, whoever wrote it; nothing when there is no such file.
    /// @throws as AppendFile::sync
    virtual void sync(std::string_view key) = 0;
    /// Makes sure that there is a reserve. The first write that finds the store full gives it up; from then
    /// on only Room::reserved can be written. @throws Error(store_full) when there is no room for it
    virtual void keep_reserve() = 0;
    /// True since somebody had to give up the reserve.
    virtual bool is_full() = 0;
    /// True while a living process holds the file's lock.
    virtual bool locked(std::string_view key) = 0;
    /// The length of a file in bytes; 0 when there is none.
    virtual std::uint64_t size(std::string_view key) = 0;
    /// At most `length` bytes from `offset`; nullopt when there is no such file.
    virtual std::optional<std::string> read(std::string_view key, std::uint64_t offset,
                                            std::uint64_t length) = 0;
    /// Keys that begin with `prefix`, sorted.
    virtual std::vector<std::string> list(std::string_view prefix) = 0;
    /// Deletes a file, durably; no error when there is none.
    virtual void remove(std::string_view key) = 0;
    /// Gives a file that nobody writes other contents: whole and durable, or not at all.
    virtual void replace(std::string_view key, std::string_view bytes) = 0;
    /// Changes from now on to what lies below the folder `prefix` ("runs/RUN/"). nullptr where a store cannot
    /// tell: look from time to time.
    virtual std::unique_ptr<Watch> watch(std::string_view /*prefix*/) { return nullptr; }
};

}  // namespace amp
