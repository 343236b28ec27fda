#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/append_files.hpp"
#include "core/ports/task_spec.hpp"

namespace amp {

/// Appends a run's packs: log pieces and values of up to 64 KiB. A pack is a sequence of frames
///
///     P1 <task> <attempt> <kind> <unix ms> <len> <crc32c>\n<bytes>\n
///
/// with kind `log`, `note` (amp's own remark in a log, such as a gap), `value` or `report` (lines of
/// core/task/report_line), so that a follower who reads a pack from its start sees all of it live. Of a rank
/// of a gang the kind ends in it: `log@2`. A piece is named by its pack, the offset of its frame, and the
/// length and SHA-256 of its bytes. Packs are at most 64 MiB each. One thread appends; `sync` may be called
/// from another.
class PackWriter {
  public:
    PackWriter(AppendFiles& files, std::string run, std::uint32_t epoch);
    /// @param writer what its keys begin with: layout::pack_writer, layout::attempt_log_writer
    PackWriter(AppendFiles& files, std::string writer);
    ~PackWriter();
    PackWriter(const PackWriter&) = delete;
    PackWriter& operator=(const PackWriter&) = delete;

    /// Visible to readers on return, durable after sync. @throws Error(store_full), Error(infrastructure)
    LogPiece append(const TaskName& task, std::uint32_t attempt, std::string_view kind,
                    std::string_view bytes, Timestamp at);
    /// All that was appended before the call is on the disk on return. After a failure it fails for ever.
    void sync();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

struct PackFrame {
    TaskName task;
    std::uint32_t attempt = 1;
    std::string kind;
    Timestamp at;
    std::string bytes;
    std::optional<std::uint32_t> rank = {};  ///< of a gang
};

/// How much counts of packs that were taken over, by key (accepted_packs).
using PackLengths = std::map<std::string, std::uint64_t>;

/// The bytes of one piece, verified; what lies behind the accepted length of its pack is none.
/// @throws Error(not_found), Error(mismatch)
std::string read_piece(AppendFiles& files, const LogPiece& piece, const PackLengths& accepted = {});

/// Gives the bytes of each log and note frame of an attempt (and rank) in a range (or in a single piece), in
/// order.
/// @throws Error(not_found), Error(mismatch) when not all of it is there
void read_range(AppendFiles& files, const LogPiece& range, const TaskName& task, std::uint32_t attempt,
                const PackLengths& accepted, const std::function<void(std::string_view bytes)>& each);

/// The keys of all packs of a run: those of its keepers, and those of attempts that ran elsewhere.
std::vector<std::string> list_packs(AppendFiles& files, std::string_view run);

/// A stretch of a pack that holds no sound frame.
struct PackGap {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool at_end = false;  ///< nothing sound follows: what a writer that died left
};
/// Reads a whole pack. Its first `limit` bytes count.
std::vector<PackGap> find_pack_gaps(AppendFiles& files, const std::string& key, std::uint64_t limit);
/// Puts a remark in the place of a gap that is no end, so that all else keeps its place; cuts off one that
/// is.
std::string without_gaps(std::string bytes, const std::vector<PackGap>& gaps);

/// Follows a run's packs from their start: each call of `poll` gives the frames that were appended since, in
/// order within a pack. A torn frame at the end of a pack waits. What a driver or keeper of before appended
/// after a take-over is not given.
class PackFollower {
  public:
    /// @param kind of the frames to give; others are passed over by their headers, unread. Empty: all
    PackFollower(AppendFiles& files, std::string run, std::string kind = {});
    ~PackFollower();
    PackFollower(const PackFollower&) = delete;
    PackFollower& operator=(const PackFollower&) = delete;
    /// The number of frames given.
    std::size_t poll(const std::function<void(const PackFrame&)>& each);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace amp
