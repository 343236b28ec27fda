#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/value.hpp"
#include "core/ports/append_files.hpp"

namespace amp {

/// A record of a journal or keeper log.
struct Record {
    std::uint64_t seq = 0;
    std::uint32_t epoch = 0;
    std::string type;
    Value payload;
};

/// What reading found at the end of a log.
struct LogEnd {
    std::uint32_t segment = 0;     ///< number of the last segment; 0: there is none
    std::uint64_t length = 0;      ///< sound bytes of it
    std::uint64_t torn_bytes = 0;  ///< behind them, of no value
    std::uint64_t next_seq = 1;
    std::uint32_t epoch = 0;                        ///< the highest seen
    std::map<std::string, std::uint64_t> accepted;  ///< "EPOCH-SEQ" → sound bytes, of all segments that count
    std::map<std::string, std::uint64_t> packs;     ///< as accepted_packs
};

/// Keys of packs whose writers were dead at the last take-over → how many of their bytes count (fencing). All
/// of any other pack counts.
std::map<std::string, std::uint64_t> accepted_packs(AppendFiles& files, std::string_view run);

/// Reads a run's journal, all segments in order, and calls `each` for every record that counts: segments of
/// an epoch only up to the length that the next epoch's first record accepted (fencing). A broken place that
/// nothing proves to have been on the disk is a torn tail, and ends it quietly: what lies behind was not
/// synced either. Any other is Error(mismatch) naming segment, offset and `amp fsck`.
LogEnd read_journal(AppendFiles& files, std::string_view run, const std::function<void(const Record&)>& each);

/// What can be read of a journal, damaged or not: calls `each` for all records before the first damage. The
/// end that it returns is as read_journal's, as though all behind that place was a torn tail; a JournalWriter
/// that goes on from it mends the journal.
struct Salvage {
    struct Problem {
        std::string key;
        std::uint64_t offset = 0;
        std::string what;
    };
    LogEnd end;
    std::vector<Problem> problems;
};
Salvage salvage_journal(AppendFiles& files, std::string_view run,
                        const std::function<void(const Record&)>& each);

/// Appends a run's journal for one epoch. Records are buffered until flush; sync happens in a thread of its
/// own within 50 ms after a flush (group commit). One thread appends.
///
/// On an error of append or sync a new segment is opened and what was not synced is written again; a second
/// error throws from the next flush or barrier: Error(store_full) or Error(infrastructure). Segments are at
/// most 16 MiB; each begins with a "segment" record {schema, run, accepted: {segment: length…},
/// previous_sha256, packs: {key: length…}}, which `each` never sees: the newest of them says which bytes of
/// all older segments count. Nor does it see the "synced" records {run, bytes}, one behind each sync and one
/// at the end, which say how much of their segment is on the disk.
///
/// May append from the reserve (Room::reserved): what ended is recorded also when the store is full.
class JournalWriter {
  public:
    /// @param epoch higher than any before (Lease gives it)
    /// @param end what read_journal returned; the torn tail is saved as a quarantine copy and fenced off
    /// @param before_sync called in the syncing thread before each sync, to sync what the records name
    /// (packs, objects)
    /// @throws Error(busy) when another process holds the segment
    JournalWriter(AppendFiles& files, std::string run, std::uint32_t epoch, const LogEnd& end,
                  std::function<void()> before_sync = {});
    ~JournalWriter();  ///< syncs what was flushed; what was not is forgotten: call barrier() before
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;

    void append(std::string_view type, const Value& payload);
    /// Hands the buffered records to the kernel: they survive our death from here on.
    void flush();
    /// Returns when all that was appended is on the disk.
    void barrier();
    /// True after a first write or sync error that was survived by a new segment.
    bool degraded() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp
