#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace amp {

/// What was read, with the version that compare_and_swap takes (a hash or an ETag; opaque).
struct Stored {
    std::string bytes;
    std::string version;
};

/// A key as list_details tells of it.
struct Listed {
    std::string key;
    std::uint64_t size_bytes = 0;
    Timestamp changed;  ///< by the store's own clock: when it was put, replaced or refreshed
};

enum class PutResult { stored, exists, changed };

/// True for what ObjectStore takes as a key.
constexpr bool is_store_key(std::string_view key) {
    std::size_t length = 0;  // of the part so far
    bool only_dots = true;
    for (std::size_t i = 0; i <= key.size(); ++i) {
        if (i == key.size() || key[i] == '/') {
            if (length == 0 || (only_dots && length <= 2)) {
                return false;
            }
            length = 0;
            only_dots = true;
            continue;
        }
        const char c = key[i];
        const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && c != '.' && c != '_' && c != '@' && c != '+' && c != '-') {
            return false;
        }
        only_dots = only_dots && c == '.';
        ++length;
    }
    return true;
}

enum class Durability { now, later };

/// A large object on its way into the store, piece by piece. Nothing is visible before commit; destroyed
/// without one, nothing stays.
class ObjectWriter {
  public:
    virtual ~ObjectWriter() = default;
    virtual void append(std::string_view bytes) = 0;
    /// As ObjectStore::put_if_absent; call once.
    virtual PutResult commit(Durability durability) = 0;
};

/// The store port: only what both a directory and S3 can do. Keys are relative paths of `/`-separated parts,
/// each of [A-Za-z0-9._@+-]+ and never "." or ".."; anything else is Error(bug). No rename, append or lock.
///
/// Durability: put and compare_and_swap return when the bytes are on the disk (file and folder synced),
/// unless `Durability::later` was asked, which sync_pending() makes good. Visibility: what a put has returned
/// every later get and list sees; a concurrent reader sees the old or the new, never a part. Every call
/// throws Error(infrastructure) or Error(store_full) when the store cannot be reached or written.
class ObjectStore {
  public:
    using Durability = amp::Durability;

    virtual ~ObjectStore() = default;

    /// nullopt when there is no such key.
    virtual std::optional<Stored> get(std::string_view key) = 0;
    /// At most `length` bytes from `offset`; fewer at the end. nullopt when there is no such key.
    virtual std::optional<std::string> get_range(std::string_view key, std::uint64_t offset,
                                                 std::uint64_t length) = 0;
    /// The size in bytes; nullopt when there is no such key.
    virtual std::optional<std::uint64_t> size(std::string_view key) = 0;

    /// stored, or exists when the key was there (its content untouched).
    virtual PutResult put_if_absent(std::string_view key, std::string_view bytes,
                                    Durability = Durability::now) = 0;
    /// Makes an object that is there count as put just now: its age, and durable by sync_pending. False when
    /// it is not. What was refreshed no remove_older of before takes away.
    virtual bool refresh(std::string_view key) = 0;
    /// put_if_absent in pieces, in bounded memory.
    virtual std::unique_ptr<ObjectWriter> create(std::string_view key) = 0;
    /// stored, or changed when the version is no longer `expected_version` (or the key is gone).
    virtual PutResult compare_and_swap(std::string_view key, std::string_view bytes,
                                       std::string_view expected_version) = 0;
    /// Replaces or creates; for caches alone.
    virtual void put(std::string_view key, std::string_view bytes) = 0;

    /// Keys that begin with `prefix` and sort after `after` (byte order), at most `limit` of them, sorted.
    virtual std::vector<std::string> list_after(std::string_view prefix, std::string_view after,
                                                std::size_t limit) = 0;
    /// As list_after, with size and age.
    virtual std::vector<Listed> list_details(std::string_view prefix, std::string_view after,
                                             std::size_t limit) = 0;
    /// The parts that follow `prefix` (which ends in '/') up to the next '/', sorted: the "sub-folders" and
    /// keys in it.
    virtual std::vector<std::string> list_children(std::string_view prefix) = 0;
    /// Deletes; no error when the key is not there.
    virtual void remove(std::string_view key) = 0;
    /// Deletes what was neither put nor refreshed since `before`; one step for all who put or refresh it
    /// meanwhile. True when the key is gone.
    virtual bool remove_older(std::string_view key, Timestamp before) = 0;
    /// Deletes what writers that died left half-made (temporary files, unfinished uploads) before `before`.
    /// @param dry only count. @return how many
    virtual std::size_t remove_abandoned(Timestamp before, bool dry) = 0;

    /// Makes all puts with Durability::later durable, in one batch.
    virtual void sync_pending() = 0;
};

}  // namespace amp
