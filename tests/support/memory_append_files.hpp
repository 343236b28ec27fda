#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/ports/append_files.hpp"

namespace amp::test {

/// Append files in memory, with a page cache that a power cut empties. Thread-safe.
class MemoryAppendFiles : public AppendFiles {
  public:
    MemoryAppendFiles();

    /// The n-th append from now (1: the next) fails with `error_number`, having written `partly` bytes.
    void fail_append(std::size_t n, int error_number, std::size_t partly = 0);
    /// The n-th sync from now fails with `error_number`; what it should have synced never gets durable.
    void fail_sync(std::size_t n, int error_number);
    /// Every append and sync fails from now on, an append after `partly` bytes.
    void fail_for_ever(int error_number, std::size_t partly = 0);

    /// The machine dies and comes back: what was not synced is gone, but for the first `survivors` such bytes
    /// of each file. Locks are free; files opened before are dead.
    void power_cut(std::size_t survivors = 0);
    /// The same, but that of what was not synced each page is kept or lost by itself: pages reach the disk in
    /// any order. A lost one holds zeros or something old, and the end of a file may be missing.
    /// @param page its size in bytes
    void power_cut_with_holes(std::uint64_t seed, std::size_t page);
    /// From now on there is room for so many bytes of appends, and for a reserve of 1 MiB if one is asked
    /// for.
    void limit_room(std::uint64_t bytes);
    /// The process that holds the lock dies (files opened before go on writing, as an old driver would).
    void drop_lock(std::string_view key);
    void drop_locks();
    /// Waits until `length` bytes of a file are durable; false when that takes over 5 s.
    bool wait_synced(std::string_view key, std::size_t length);

    std::string bytes(std::string_view key) const;
    void set_bytes(std::string_view key, std::string bytes);
    std::size_t syncs() const;

    std::unique_ptr<AppendFile> open(std::string_view key, std::uint64_t keep,
                                     Room room = Room::ordinary) override;
    void sync(std::string_view key) override;
    void keep_reserve() override;
    bool is_full() override;
    std::uint64_t size(std::string_view key) override;
    bool locked(std::string_view key) override;
    std::optional<std::string> read(std::string_view key, std::uint64_t offset,
                                    std::uint64_t length) override;
    std::vector<std::string> list(std::string_view prefix) override;
    void remove(std::string_view key) override;
    void replace(std::string_view key, std::string_view bytes) override;
    /// Without a descriptor: take() alone tells.
    std::unique_ptr<Watch> watch(std::string_view prefix) override;

  private:
    struct Contents {
        std::string bytes;
        std::size_t synced = 0;
        bool entry_synced = false;  ///< the file itself outlives a power cut
        bool poisoned = false;      ///< a sync failed: what is not synced by now is lost to the disk
        std::uint64_t holder = 0;   ///< which open holds the lock; 0: none
    };
    struct Seen {
        std::string prefix;
        bool changed = false;
    };
    class MemoryWatch;
    struct Disk {
        /// Takes the room for some bytes; false when there is none.
        bool take_room(std::uint64_t bytes, Room who);

        mutable std::mutex mutex;
        std::condition_variable synced;
        std::map<std::string, Contents, std::less<>> files;
        std::uint64_t opens = 0;
        std::uint64_t boot = 0;
        std::size_t appends = 0;
        std::size_t syncs = 0;
        std::size_t fail_append_at = 0;
        std::size_t fail_sync_at = 0;
        std::size_t partly = 0;
        int error_number = 0;
        bool fail_always = false;
        std::optional<std::uint64_t> room;  ///< bytes that can be appended; nullopt: no limit
        bool reserve = false;
        bool full = false;  ///< the reserve was given up
        std::vector<std::weak_ptr<Seen>> watches;
        void changed(std::string_view key);
    };
    class File;
    std::shared_ptr<Disk> disk_;
};

}  // namespace amp::test
